//! Invites: one-time secrets with which one agent enrols.

use sortie_rules::ids::InviteId;
use sortie_wire::invites::{CreateInvite, CreatedInvite, InviteDetails};
use sortie_wire::pages::Page;

use super::Hub;
use crate::error::ClientError;

impl Hub {
    /// Makes an invite. The answer is the only place where its secret is ever shown.
    pub async fn create_invite(
        &self,
        invite: &CreateInvite,
        idempotency_key: Option<&str>,
    ) -> Result<CreatedInvite, ClientError> {
        self.create(&["invites"], invite, &self.key(idempotency_key)).await
    }

    /// The invites, newest first.
    pub async fn invites(&self) -> Result<Page<InviteDetails>, ClientError> {
        self.get(&["invites"], &()).await
    }

    /// Withdraws an invite.
    pub async fn revoke_invite(&self, id: InviteId) -> Result<InviteDetails, ClientError> {
        self.act(&["invites", &id.to_string(), "revoke"]).await
    }
}
