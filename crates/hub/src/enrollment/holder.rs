//! Who comes with an invite: `Authorization: Invite …`, which proves that its bearer holds the invite's secret
//! and does not say it.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use sortie_rules::ids::InviteId;
use sortie_store::invites;
use sortie_wire::enrollment::InviteProof;
use sortie_wire::problem::ProblemCode;

use crate::app::App;
use crate::fault::{Fault, refuse};
use crate::identity::secret_fits;
use crate::proofs::{BodyHash, hash_of};

/// Somebody who holds an invite's secret. Whether the invite still admits anybody is another question.
#[derive(Debug, Clone)]
pub(crate) struct InviteHolder {
    /// Which invite.
    pub(crate) invite: InviteId,
    /// To what the answer is bound.
    pub(crate) nonce: String,
}

/// Checks the proof that the request carries. Returns what the request's body must hash to, too.
pub(crate) async fn invite_holder(app: &App, headers: &HeaderMap) -> Result<(InviteHolder, BodyHash), Fault> {
    let shown = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(InviteProof::read);
    let proof = shown.ok_or_else(unknown_invite)?;
    let (invite, body) = (proof.invite, hash_of(&proof.body).ok_or_else(unknown_invite)?);
    // The secret is derived and not kept; the hash that is kept says whether it was given out.
    let secret = app.keys.secret_of("invite", invite);
    if !proof.holds(secret.expose()) {
        return Err(unknown_invite());
    }
    let row = app.store.read(move |tx| Box::pin(async move { invites::get_any_org(tx, invite).await })).await?;
    let is_made = row.is_some_and(|row| secret_fits(secret.expose(), &row.secret_hash));
    if !is_made {
        return Err(unknown_invite());
    }
    Ok((InviteHolder { invite, nonce: proof.nonce }, body))
}

/// One sentence for all that does not hold: a stranger learns nothing about which invites exist.
pub(super) fn unknown_invite() -> Fault {
    refuse(ProblemCode::InviteUnknown, "This hub has made no such invite; ask for a new one.")
}
