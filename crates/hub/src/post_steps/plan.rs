//! Plans the steps that follow the end of a task, in the transaction of that end.

use sortie_rules::ids::{OrgId, TaskId};
use sortie_rules::post_steps::planned;
use sortie_rules::tasks::Task;
use sortie_rules::time::Millis;
use sortie_store::post_steps::{self, StepRow};
use sortie_store::{StoreError, Tx};

use crate::packs::TaskTypes;

/// Plans what the task's type says. A late result that turns a failure into a success plans what
/// follows that; a step that was planned for the same run stays as it is.
pub(crate) async fn plan(
    tx: &mut Tx,
    types: &TaskTypes,
    (org, task, type_name): (OrgId, TaskId, &str),
    after: &Task,
    now: Millis,
) -> Result<(), StoreError> {
    let Some(known) = types.get(type_name) else { return Ok(()) };
    let status = after.state.status();
    let steps: Vec<StepRow> = known
        .post_steps
        .iter()
        .filter(|step| step.when.is_after(status))
        .map(|step| StepRow {
            task,
            run: after.run,
            name: step.name.clone(),
            item: 0,
            org,
            kind: step.act.kind().to_owned(),
            step: planned(now),
            finished_at: None,
            code: None,
            message: None,
        })
        .collect();
    post_steps::plan(tx, &steps).await
}
