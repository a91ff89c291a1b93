//! How a task comes in, and how one is found again by its id.

use sortie_rules::ids::{NodeId, TaskId};

use super::columns;
use super::row::{TaskLife, TaskRow, life_row_columns, read, read_life, task_columns};
use crate::errors::StoreError;
use crate::tx::Tx;
use crate::value::Value;

/// Adds a task that waits, or one that is handed out at once.
pub async fn insert(tx: &mut Tx, task: &TaskRow) -> Result<(), StoreError> {
    insert_all(tx, [task]).await
}

/// The same for many. The hottest statement of the hub: it names only columns that such a task can have.
pub async fn insert_all<'a>(tx: &mut Tx, tasks: impl IntoIterator<Item = &'a TaskRow>) -> Result<(), StoreError> {
    const SQL: &str = "insert into tasks (id, org, node, type_name, priority, payload, idempotent, submitted_by,
            submitted_at, traceparent, status, attempt, run, retries, retries_max, lease_ms, not_before, not_after,
            lease_until, cancel_asked, delivery, claimed_at, job, operation)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22,
            $23, $24)";
    let rows = tasks.into_iter().map(values).collect::<Result<Vec<_>, _>>()?;
    tx.execute_each(SQL, &rows).await.map(drop)
}

fn values(task: &TaskRow) -> Result<[Value<'_>; 24], StoreError> {
    if task.life.state.status().is_terminal() {
        return Err(StoreError::Bug { why: format!("task {} is to begin with its end", task.id) });
    }
    let state = columns::of(&task.life.state);
    Ok([
        task.id.into(),
        task.org.into(),
        task.node.into(),
        (&task.type_name).into(),
        task.priority.into(),
        (&task.payload).into(),
        task.idempotent.into(),
        (&task.submitted_by).into(),
        task.submitted_at.into(),
        task.traceparent.as_deref().into(),
        state.status.into(),
        task.life.attempt.into(),
        task.life.run.into(),
        task.life.retries.into(),
        task.life.retries_max.into(),
        task.life.lease.into(),
        state.not_before.into(),
        task.life.not_after.into(),
        state.lease_until.into(),
        state.cancel_asked.into(),
        task.delivery.into(),
        task.claimed_at.into(),
        task.job.into(),
        task.operation.as_deref().into(),
    ])
}

/// The task of this id, in whichever org: agents are known by their node. The caller compares it.
pub async fn get_any_org(tx: &mut Tx, id: TaskId) -> Result<Option<TaskRow>, StoreError> {
    const SQL: &str = concat!("select ", task_columns!(), " from tasks where id = $1");
    tx.query_one_or_none(SQL, &[id.into()]).await?.map(read).transpose()
}

/// The same without payload and result, for decisions.
pub async fn get_life(tx: &mut Tx, id: TaskId) -> Result<Option<TaskLife>, StoreError> {
    Ok(get_lives(tx, &[id]).await?.pop())
}

/// The same of many tasks, each of which is named once; in no order. What is not there is left out.
pub async fn get_lives(tx: &mut Tx, ids: &[TaskId]) -> Result<Vec<TaskLife>, StoreError> {
    const SQL: &str = concat!("select ", life_row_columns!(), " from tasks where id = $1");
    let rows: Vec<[Value<'_>; 1]> = ids.iter().map(|id| [(*id).into()]).collect();
    tx.query_each(SQL, &rows).await?.into_iter().map(read_life).collect()
}

/// How many tasks wait for the node. Counts them one by one, so it is for a hub that begins to keep
/// its own count and not for every submission.
pub async fn count_pending(tx: &mut Tx, node: NodeId) -> Result<u64, StoreError> {
    const SQL: &str = "select count(*) from tasks where node = $1 and status = 'pending'";
    let row = tx.query_one_or_none(SQL, &[node.into()]).await?;
    row.map_or(Ok(0), |row| row.columns("tasks").number("count"))
}
