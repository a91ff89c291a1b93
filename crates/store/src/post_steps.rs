//! `post_steps`: what the hub does after tasks have ended.

use sortie_rules::ids::{OrgId, TaskId};
use sortie_rules::post_steps::{Step, StepState};
use sortie_rules::time::Millis;

use crate::errors::StoreError;
use crate::row::Row;
use crate::tx::Tx;

/// A post-step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepRow {
    /// The task that it follows.
    pub task: TaskId,
    /// The run of it.
    pub run: u32,
    /// Its name in the type's pack.
    pub name: String,
    /// From 1: for one item of the list that the step is for; 0: the step itself.
    pub item: u32,
    /// Whose it is.
    pub org: OrgId,
    /// What sort of step it is.
    pub kind: String,
    /// Where it stands.
    pub step: Step,
    /// When it was done or given up.
    pub finished_at: Option<Millis>,
    /// Why the last try failed, in a word.
    pub code: Option<String>,
    /// The same in a sentence.
    pub message: Option<String>,
}

macro_rules! columns {
    () => {
        "task, run, name, item, org, kind, status, tries, since, next_at, finished_at, code, message"
    };
}

/// Adds steps. One that is there already stays as it is.
pub async fn plan(tx: &mut Tx, steps: &[StepRow]) -> Result<(), StoreError> {
    const SQL: &str = concat!(
        "insert into post_steps (",
        columns!(),
        ") values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) on conflict do nothing"
    );
    for row in steps {
        let (status, next_at) = of(row.step.state);
        let values = [
            row.task.into(),
            row.run.into(),
            row.name.as_str().into(),
            row.item.into(),
            row.org.into(),
            row.kind.as_str().into(),
            status.into(),
            row.step.tries.into(),
            row.step.since.into(),
            next_at.into(),
            row.finished_at.into(),
            row.code.as_deref().into(),
            row.message.as_deref().into(),
        ];
        tx.execute(SQL, &values).await?;
    }
    Ok(())
}

/// Up to `limit` steps of all orgs that are due at `now`, the longest due first.
pub async fn due(tx: &mut Tx, now: Millis, limit: u32) -> Result<Vec<StepRow>, StoreError> {
    const SQL: &str = concat!(
        "select ",
        columns!(),
        " from post_steps where status = 'pending' and next_at <= $1 order by next_at limit $2"
    );
    tx.query(SQL, &[now.into(), limit.into()]).await?.into_iter().map(read).collect()
}

/// All steps of a task, in the order of runs, names and items, up to `limit`.
pub async fn of_task(tx: &mut Tx, task: TaskId, limit: u32) -> Result<Vec<StepRow>, StoreError> {
    const SQL: &str =
        concat!("select ", columns!(), " from post_steps where task = $1 order by run, name, item limit $2");
    tx.query(SQL, &[task.into(), limit.into()]).await?.into_iter().map(read).collect()
}

/// Writes down what became of a step. `false` if it does not stand as `before` any more.
pub async fn update(tx: &mut Tx, before: &Step, after: &StepRow) -> Result<bool, StoreError> {
    const SQL: &str = "update post_steps set status = $5, tries = $6, since = $7, next_at = $8, finished_at = $9,
            code = $10, message = $11
        where task = $1 and run = $2 and name = $3 and item = $4 and status = $12 and tries = $13";
    let (status, next_at) = of(after.step.state);
    let values = [
        after.task.into(),
        after.run.into(),
        after.name.as_str().into(),
        after.item.into(),
        status.into(),
        after.step.tries.into(),
        after.step.since.into(),
        next_at.into(),
        after.finished_at.into(),
        after.code.as_deref().into(),
        after.message.as_deref().into(),
        before.state.as_str().into(),
        before.tries.into(),
    ];
    Ok(tx.execute(SQL, &values).await? == 1)
}

fn of(state: StepState) -> (&'static str, Option<Millis>) {
    match state {
        StepState::Pending { next_at } => (state.as_str(), Some(next_at)),
        StepState::Done | StepState::Failed => (state.as_str(), None),
    }
}

fn read(row: Row) -> Result<StepRow, StoreError> {
    let mut row = row.columns("post_steps");
    let (task, run, name) = (row.id("task")?, row.number("run")?, row.text("name")?);
    let (item, org, kind) = (row.number("item")?, row.id("org")?, row.text("kind")?);
    let (status, tries, since) = (row.text("status")?, row.number("tries")?, row.millis("since")?);
    let state = match (status.as_str(), row.millis_or_none("next_at")?) {
        ("pending", Some(next_at)) => StepState::Pending { next_at },
        ("done", None) => StepState::Done,
        ("failed", None) => StepState::Failed,
        _ => return Err(row.corrupt("status", format!("is a word without sense ({status})"))),
    };
    Ok(StepRow {
        task,
        run,
        name,
        item,
        org,
        kind,
        step: Step { state, tries, since },
        finished_at: row.millis_or_none("finished_at")?,
        code: row.text_or_none("code")?,
        message: row.text_or_none("message")?,
    })
}
