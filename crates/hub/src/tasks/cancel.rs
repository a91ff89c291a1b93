//! Calls a task off: in the queue that ends it, handed out the agent is asked to stop.

use sortie_rules::ids::TaskId;
use sortie_rules::tasks::{State, Status, cancel as decide};
use sortie_rules::time::Millis;
use sortie_store::Tx;
use sortie_store::tasks::{self, Stamps, TaskLife};
use sortie_wire::problem::ProblemCode;
use sortie_wire::tasks::TaskSummary;

use super::events::{About, changed};
use super::read;
use crate::app::App;
use crate::audit::{self, Act};
use crate::fault::{Fault, refuse};
use crate::packs::TaskTypes;
use crate::people::Principal;

/// Cancels a task. Asking again for one that is being stopped changes nothing.
pub(super) async fn cancel(app: &App, who: &Principal, id: TaskId) -> Result<TaskSummary, Fault> {
    let (org, actor, now) = (who.org, who.name.clone(), app.clock.now());
    let act = Act::by(who, now)?.on("task", id);
    let types = app.types.load_full();
    let (node, status) = app
        .store
        .write(move |tx| {
            Box::pin(async move {
                let row = tasks::get_life(tx, id).await?.filter(|row| row.org == org).ok_or_else(read::unknown)?;
                let message = format!("cancelled by {actor}");
                let was_asked = matches!(row.life.state, State::InProgress { cancel_asked: true, .. });
                let status = call_off(tx, &types, &row, (&actor, &message), now).await?;
                if !was_asked {
                    audit::record(tx, act.changes(serde_json::json!({ "type": row.type_name, "status": status })))
                        .await?;
                }
                Ok::<_, Fault>((row.node, status))
            })
        })
        .await?;
    if status.is_terminal() {
        app.waiting.ring_ended(id);
    } else {
        app.waiting.ring_cancel(node, id);
    }
    read::summary(app, who, id).await
}

/// Cancels a task in the transaction at hand. Returns where that leads: to its end, or the agent is to be
/// asked to stop.
pub(crate) async fn call_off(
    tx: &mut Tx,
    types: &TaskTypes,
    row: &TaskLife,
    (actor, message): (&str, &str),
    now: Millis,
) -> Result<Status, Fault> {
    let after = decide(&row.life).map_err(|refusal| refuse(ProblemCode::TaskEnded, format!("{refusal}.")))?;
    let status = after.state.status();
    if after == row.life {
        return Ok(status);
    }
    let ended = status.is_terminal();
    let stamps = Stamps { finished_at: ended.then_some(now), message: ended.then_some(message), ..Stamps::default() };
    if !tasks::update(tx, row.id, &row.life, &after, &stamps).await? {
        return Err(refuse(ProblemCode::Conflict, "The task changed meanwhile; look again."));
    }
    let about = About { org: row.org, node: row.node, task: row.id, actor, now };
    changed(tx, about, (types, &row.type_name), &after).await?;
    Ok(status)
}
