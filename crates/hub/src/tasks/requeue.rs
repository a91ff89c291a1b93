//! Puts a task that ended without completing back into the queue, as a new run.

use sortie_rules::ids::TaskId;
use sortie_rules::tasks::requeue as decide;
use sortie_store::operations;
use sortie_store::tasks::{self, Stamps};
use sortie_wire::problem::ProblemCode;
use sortie_wire::tasks::TaskSummary;

use super::events::{About, happened};
use super::read;
use crate::app::App;
use crate::audit::{self, Act};
use crate::fault::{Fault, refuse};
use crate::people::Principal;

/// Requeues a task.
pub(super) async fn requeue(app: &App, who: &Principal, id: TaskId) -> Result<TaskSummary, Fault> {
    let (org, actor, now) = (who.org, who.name.clone(), app.clock.now());
    let act = Act::by(who, now)?.on("task", id);
    let node = app
        .store
        .write(move |tx| {
            Box::pin(async move {
                let row = tasks::get_life(tx, id).await?.filter(|row| row.org == org).ok_or_else(read::unknown)?;
                if operations::get(tx, id).await?.is_some() {
                    let detail = "An operation is carried out once. Propose it again with `sortie op propose`, and \
                                  have it signed.";
                    return Err(refuse(ProblemCode::NotRequeueable, detail));
                }
                let after =
                    decide(&row.life).map_err(|refusal| refuse(ProblemCode::NotRequeueable, format!("{refusal}.")))?;
                let message = format!("requeued by {actor}");
                let stamps = Stamps { message: Some(&message), ..Stamps::default() };
                if !tasks::update(tx, id, &row.life, &after, &stamps).await? {
                    return Err(refuse(ProblemCode::Conflict, "The task changed meanwhile; look again."));
                }
                let about = About { org, node: row.node, task: id, type_name: &row.type_name, actor: &actor, now };
                happened(tx, about, "task.requeued").await?;
                audit::record(tx, act.changes(serde_json::json!({ "type": row.type_name }))).await?;
                Ok::<_, Fault>(row.node)
            })
        })
        .await?;
    app.waiting.ring(node);
    read::summary(app, who, id).await
}
