//! Ends a session: from the next request on it is void, and what it holds open ends.

use sortie_rules::access::Permissions;
use sortie_rules::ids::SessionId;
use sortie_rules::time::Millis;
use sortie_store::Tx;
use sortie_store::sessions::{self, SessionRow};
use sortie_wire::problem::ProblemCode;
use sortie_wire::sessions::Session;

use super::list::shown;
use crate::app::App;
use crate::audit::{self, Act};
use crate::events::{self, Record};
use crate::fault::{Fault, refuse};
use crate::people::{Principal, Proof, holds};

/// Ends one's own session, or one of somebody who may not do more.
pub(crate) async fn end(app: &App, who: &Principal, id: SessionId) -> Result<Session, Fault> {
    let (who, now) = (who.clone(), app.clock.now());
    let act = Act::by(&who, now)?.on("session", id);
    let row = app
        .store
        .write(move |tx| {
            Box::pin(async move {
                let unknown = || refuse(ProblemCode::UnknownSession, "There is no such session; it may have ended.");
                let row = sessions::get(tx, id).await?.filter(|row| row.org == who.org).ok_or_else(unknown)?;
                let is_own = who.proof == Proof::Session(id);
                if !is_own {
                    who.may_give(holds(row.role, None, row.org), Permissions::NONE)?;
                }
                if end_in(tx, &row, &who.name, if is_own { "signed_out" } else { "ended" }, now).await? {
                    let changes = serde_json::json!({ "own": is_own, "of": row.subject });
                    audit::record(tx, act.named(&row.name).changes(changes)).await?;
                }
                Ok::<_, Fault>(row)
            })
        })
        .await?;
    forget(app, id);
    Ok(shown(row))
}

/// Forgets a session that has ended, and wakes those who hold something open with it.
pub(crate) fn forget(app: &App, id: SessionId) {
    app.sessions.forget(id);
    app.people.ring();
}

/// Ends a session in the transaction at hand, and says whether it had not ended yet. Whoever calls forgets it
/// afterwards.
pub(crate) async fn end_in(tx: &mut Tx, row: &SessionRow, actor: &str, why: &str, now: Millis) -> Result<bool, Fault> {
    let was_there = sessions::delete(tx, row.id).await?;
    if was_there {
        let data = serde_json::json!({ "session": row.id, "name": row.name, "reason": why });
        events::record(tx, Record::new(row.org, now, "session.ended", actor).data(&data)).await?;
    }
    Ok(was_there)
}
