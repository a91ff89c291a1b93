//! Lists sessions, newest first.

use sortie_rules::ids::SessionId;
use sortie_store::sessions::{self, SessionRow};
use sortie_wire::pages::Page;
use sortie_wire::sessions::Session;

use crate::app::App;
use crate::fault::Fault;
use crate::http::page;
use crate::people::Principal;

/// One page of sessions.
pub(super) async fn list(
    app: &App,
    who: &Principal,
    before: Option<SessionId>,
    limit: u32,
) -> Result<Page<Session>, Fault> {
    let org = who.org;
    let rows =
        app.store.read(move |tx| Box::pin(async move { sessions::list(tx, org, before, limit + 1).await })).await?;
    let shown = |row| {
        let written = shown(row);
        Session { last_used_at: app.sessions.used_since(written.id).unwrap_or(written.last_used_at), ..written }
    };
    Ok(page(rows, limit, |row| row.id.to_string(), shown))
}

/// A session as it is shown.
pub(super) fn shown(row: SessionRow) -> Session {
    Session {
        id: row.id,
        name: row.name,
        subject: row.subject,
        role: row.role,
        created_at: row.created_at,
        last_used_at: row.last_used_at,
        ends_at: row.ends_at,
    }
}
