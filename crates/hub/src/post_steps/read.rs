//! Shows steps and fields to people.

use sortie_rules::ids::{OrgId, TaskId};
use sortie_rules::limits::PAGE_MAX;
use sortie_rules::post_steps::StepState;
use sortie_store::fields::{self, Holder};
use sortie_store::post_steps::{self, StepRow};
use sortie_store::{StoreError, Tx};
use sortie_wire::nodes::FieldValue;
use sortie_wire::tasks::PostStep;

/// The steps of a task.
pub(crate) async fn of_task(tx: &mut Tx, task: TaskId) -> Result<Vec<PostStep>, StoreError> {
    Ok(post_steps::of_task(tx, task, PAGE_MAX).await?.into_iter().map(shown).collect())
}

/// The fields of a node or a site.
pub(crate) async fn fields_of(tx: &mut Tx, org: OrgId, holder: &Holder) -> Result<Vec<FieldValue>, StoreError> {
    let rows = fields::list(tx, org, holder, PAGE_MAX).await?;
    let shown = |row: fields::FieldRow| FieldValue {
        name: row.name,
        value: serde_json::from_str(&row.value).unwrap_or_default(),
        task: row.task,
        at: row.at,
    };
    Ok(rows.into_iter().map(shown).collect())
}

fn shown(row: StepRow) -> PostStep {
    let next_at = match row.step.state {
        StepState::Pending { next_at } => Some(next_at),
        StepState::Done | StepState::Failed => None,
    };
    PostStep {
        name: row.name,
        item: row.item,
        run: row.run,
        kind: row.kind,
        status: row.step.state.as_str().to_owned(),
        tries: row.step.tries,
        next_at,
        finished_at: row.finished_at,
        code: row.code,
        message: row.message,
    }
}
