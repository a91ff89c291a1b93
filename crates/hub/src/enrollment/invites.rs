//! Lists and withdraws invites.

use sortie_rules::enrollment::is_void;
use sortie_rules::ids::InviteId;
use sortie_store::invites::{self, InviteRow};
use sortie_wire::invites::InviteDetails;
use sortie_wire::pages::Page;
use sortie_wire::problem::ProblemCode;

use crate::app::App;
use crate::audit::{self, Act};
use crate::events::{self, Record};
use crate::fault::{Fault, refuse};
use crate::http::page;
use crate::people::Principal;

/// One page of invites, newest first.
pub(crate) async fn list(
    app: &App,
    who: &Principal,
    after: Option<InviteId>,
    limit: u32,
) -> Result<Page<InviteDetails>, Fault> {
    let org = who.org;
    let rows =
        app.store.read(move |tx| Box::pin(async move { invites::list(tx, org, after, limit + 1).await })).await?;
    Ok(page(rows, limit, |row| row.id.to_string(), |row| details(app, row)))
}

/// Withdraws an invite. One that is withdrawn already stays as it is.
pub(crate) async fn revoke(app: &App, who: &Principal, id: InviteId) -> Result<InviteDetails, Fault> {
    let (org, actor, now) = (who.org, who.name.clone(), app.clock.now());
    let act = Act::by(who, now)?.on("invite", id);
    let row = app
        .store
        .write(move |tx| {
            Box::pin(async move {
                let is_new = invites::revoke(tx, org, id, now).await?;
                let unknown = || refuse(ProblemCode::UnknownInvite, "There is no such invite.");
                let row = invites::get(tx, org, id).await?.ok_or_else(unknown)?;
                if is_new {
                    let data = serde_json::json!({ "invite": id });
                    events::record(tx, Record::new(org, now, "invite.revoked", &actor).data(&data)).await?;
                    audit::record(tx, act.changes(serde_json::json!({ "node": row.node_name }))).await?;
                }
                Ok::<_, Fault>(row)
            })
        })
        .await?;
    Ok(details(app, row))
}

/// An invite as lists show it.
pub(crate) fn details(app: &App, row: InviteRow) -> InviteDetails {
    InviteDetails {
        void: is_void(app.ring.held().ring(), row.created_at),
        id: row.id,
        node: row.node_name,
        site: row.site,
        host: row.host,
        kind: row.kind,
        labels: row.labels,
        replace: row.replace,
        created_by: row.created_by,
        created_at: row.created_at,
        expires_at: row.expires_at,
        revoked_at: row.revoked_at,
        used_at: row.used_at,
        enrolled: row.node,
    }
}
