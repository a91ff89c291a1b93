//! Calls a task off: in the queue that ends it, handed out the agent is asked to stop.

use sortie_rules::ids::{OrgId, TaskId};
use sortie_rules::operations::Stage;
use sortie_rules::tasks::{State, Status, cancel as decide};
use sortie_rules::time::Millis;
use sortie_store::tasks::{self, Stamps, TaskLife};
use sortie_store::{Tx, operations};
use sortie_wire::problem::ProblemCode;
use sortie_wire::tasks::TaskSummary;

use super::events::changed;
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
                let row = match tasks::get_life(tx, id).await?.filter(|row| row.org == org) {
                    Some(row) => row,
                    None => return Err(no_task(tx, org, id).await?),
                };
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

/// What is said of an id that is no task's: perhaps that of an operation which is not signed.
async fn no_task(tx: &mut Tx, org: OrgId, id: TaskId) -> Result<Fault, Fault> {
    let operation = operations::get(tx, id).await?.filter(|row| row.org == org && row.stage != Stage::Released);
    Ok(match operation {
        Some(row) if row.stage == Stage::AwaitingSignature => {
            let detail = format!("The operation is no task before it is signed: `sortie op reject {id}` ends it.");
            refuse(ProblemCode::UnknownTask, detail)
        }
        _ => read::unknown(),
    })
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
    changed(tx, types, row, &after, (actor, now)).await?;
    Ok(status)
}
