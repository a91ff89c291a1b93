//! Who comes with an invite: `Authorization: Invite <invite id>.<secret>`.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use sortie_rules::ids::InviteId;
use sortie_store::invites;
use sortie_wire::enrollment::AUTHORIZATION_SCHEME;
use sortie_wire::problem::ProblemCode;

use crate::app::App;
use crate::fault::{Fault, refuse};
use crate::identity::secret_fits;

/// Somebody who has shown an invite's secret. Whether the invite still admits anybody is another question.
#[derive(Debug, Clone, Copy)]
pub(crate) struct InviteHolder(pub(crate) InviteId);

/// Checks the secret that the request carries.
pub(crate) async fn invite_holder(app: &App, headers: &HeaderMap) -> Result<InviteHolder, Fault> {
    let (id, secret) = shown(headers).ok_or_else(unknown_invite)?;
    let row = app.store.read(move |tx| Box::pin(async move { invites::get_any_org(tx, id).await })).await?;
    let fits = row.is_some_and(|row| secret_fits(secret, &row.secret_hash));
    if fits { Ok(InviteHolder(id)) } else { Err(unknown_invite()) }
}

/// One sentence for all that does not hold: a stranger learns nothing about which invites exist.
pub(super) fn unknown_invite() -> Fault {
    refuse(ProblemCode::InviteUnknown, "This hub has made no such invite; ask for a new one.")
}

fn shown(headers: &HeaderMap) -> Option<(InviteId, &str)> {
    let text = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (id, secret) = text.strip_prefix(AUTHORIZATION_SCHEME)?.trim().split_once('.')?;
    Some((id.parse().ok()?, secret))
}
