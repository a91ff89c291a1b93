//! Who is asking.

use std::sync::Arc;

use sortie_rules::access::{Given, Permissions, Role, may_give, permissions_of};
use sortie_rules::ids::{DEFAULT_ORG, OrgId, SessionId, TokenId};
use sortie_wire::problem::ProblemCode;

use super::provider::ProviderToken;
use crate::audit::Asking;
use crate::fault::{Fault, refuse};

/// A person or service that has proved itself.
#[derive(Debug, Clone)]
pub(crate) struct Principal {
    /// Its org: it sees nothing else.
    pub(crate) org: OrgId,
    /// Its name, as it stands in events.
    pub(crate) name: Arc<str>,
    /// What it is.
    pub(crate) role: Role,
    /// What it may do.
    pub(crate) permissions: Permissions,
    /// What tells it from others of the same name: `Idempotency-Key`s are its own.
    pub(crate) key: Arc<str>,
    /// What it came with.
    pub(crate) proof: Proof,
    /// Who it is whatever it came with: the token, the account, or the provider's word for the person.
    pub(crate) subject: Arc<str>,
    /// The request with which it does something, where it does.
    pub(crate) asking: Option<Arc<Asking>>,
}

/// What somebody came with, and by which it is found out whether they may stay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Proof {
    /// An API token.
    Token(TokenId),
    /// A session of the console.
    Session(SessionId),
    /// A token of the identity provider.
    Provider(Arc<ProviderToken>),
}

impl Principal {
    /// Refuses to let somebody come to hold, or lose, what this principal does not hold itself.
    pub(crate) fn may_give(&self, before: Permissions, after: Permissions) -> Result<(), Fault> {
        if may_give(self.permissions, Given { before, after }) {
            return Ok(());
        }
        let missing = before.and(after).without(self.permissions);
        let detail = format!("Nobody gives or takes what they do not have; you have not: {missing}.");
        Err(refuse(ProblemCode::Forbidden, detail))
    }
}

/// What somebody with this role may do in this org.
pub(crate) fn holds(role: Role, scopes: Option<Permissions>, org: OrgId) -> Permissions {
    permissions_of(role, scopes, org == DEFAULT_ORG)
}
