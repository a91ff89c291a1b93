//! Begins anew with steps that were given up.

use sortie_rules::ids::TaskId;
use sortie_rules::limits::PAGE_MAX;
use sortie_rules::post_steps::again as decide;
use sortie_store::post_steps::{self, StepRow};
use sortie_store::tasks;
use sortie_wire::problem::ProblemCode;
use sortie_wire::tasks::PostStep;

use super::read::of_task;
use crate::app::App;
use crate::audit::{self, Act};
use crate::events::{self, Record};
use crate::fault::{Fault, refuse};
use crate::people::Principal;

/// Begins anew with every step of this name, in any run and for any item, that was given up.
pub(super) async fn again(app: &App, who: &Principal, task: TaskId, name: String) -> Result<Vec<PostStep>, Fault> {
    let (org, actor, now) = (who.org, who.name.clone(), app.clock.now());
    let act = Act::by(who, now)?.on("task", task);
    app.store
        .write(move |tx| {
            Box::pin(async move {
                let unknown = || refuse(ProblemCode::UnknownTask, "There is no such task.");
                tasks::get_life(tx, task).await?.filter(|row| row.org == org).ok_or_else(unknown)?;
                let mut begun = 0;
                for row in post_steps::of_task(tx, task, PAGE_MAX).await? {
                    let Some(step) = decide(row.step, now).filter(|_| row.name == name) else { continue };
                    let after = StepRow { step, finished_at: None, ..row.clone() };
                    begun += u32::from(post_steps::update(tx, &row.step, &after).await?);
                }
                if begun == 0 {
                    let detail = format!("The task has no step `{name}` that was given up.");
                    return Err(refuse(ProblemCode::Conflict, detail));
                }
                let data = serde_json::json!({ "step": name, "steps": begun });
                events::record(tx, Record::new(org, now, "post_step.again", &actor).task(task).data(&data)).await?;
                audit::record(tx, act.changes(data)).await?;
                Ok(of_task(tx, task).await?)
            })
        })
        .await
}
