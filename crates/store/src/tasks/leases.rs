//! What nodes hold, until when, and what was handed to them that they never got.

use sortie_rules::ids::{NodeId, TaskId};
use sortie_rules::tasks::Status;
use sortie_rules::time::{Millis, Span};

use super::row::{TaskLife, TaskRow, life_row_columns, read, read_life, task_columns};
use crate::errors::StoreError;
use crate::row::Row;
use crate::tx::Tx;

/// A task that a node holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeldTask {
    /// Which task.
    pub id: TaskId,
    /// The attempt that holds it.
    pub attempt: u32,
    /// The run that is under way.
    pub run: u32,
    /// How long its claim lasts without renewal.
    pub lease: Span,
    /// When its claim ends unless it is renewed.
    pub lease_until: Millis,
    /// Someone asked to cancel it.
    pub cancel_asked: bool,
    /// The delivery that last carried it.
    pub delivery: u64,
}

/// Writes renewed leases down, many at once: task, attempt, new end. A lease of another attempt
/// stays, and none gets shorter. Returns how many got longer.
pub async fn renew(tx: &mut Tx, renewals: &[(TaskId, u32, Millis)]) -> Result<u64, StoreError> {
    // The word `in_progress` is a value, so that no engine takes an index of all that is handed out for this.
    const SQL: &str = "update tasks set lease_until = $3
        where id = $1 and status = $4 and attempt = $2 and lease_until < $3";
    let status = Status::InProgress.as_str();
    let row = |(id, attempt, until): &(TaskId, u32, Millis)| {
        [(*id).into(), (*attempt).into(), (*until).into(), status.into()]
    };
    let rows: Vec<_> = renewals.iter().map(row).collect();
    tx.execute_each(SQL, &rows).await
}

/// All tasks that the node holds, in the order of their ids.
pub async fn held_by(tx: &mut Tx, node: NodeId) -> Result<Vec<HeldTask>, StoreError> {
    const SQL: &str = "select id, attempt, run, lease_ms, lease_until, cancel_asked, delivery
        from tasks where node = $1 and status = 'in_progress' order by id";
    tx.query(SQL, &[node.into()]).await?.into_iter().map(read_held).collect()
}

/// The tasks that the node holds by deliveries above `above_delivery`, as they were handed out: the
/// oldest delivery first, within one in the order of handing out.
pub async fn redeliverable(tx: &mut Tx, node: NodeId, above_delivery: u64) -> Result<Vec<TaskRow>, StoreError> {
    const SQL: &str = concat!(
        "select ",
        task_columns!(),
        " from tasks where node = $1 and status = 'in_progress' and delivery > $2
        order by delivery, priority desc, id"
    );
    tx.query(SQL, &[node.into(), above_delivery.into()]).await?.into_iter().map(read).collect()
}

/// Up to `limit` tasks of all orgs whose lease has ended at `now`, the longest ended first.
pub async fn lapsed(tx: &mut Tx, now: Millis, limit: u32) -> Result<Vec<TaskLife>, StoreError> {
    const SQL: &str = concat!(
        "select ",
        life_row_columns!(),
        " from tasks where status = 'in_progress' and lease_until <= $1 order by lease_until limit $2"
    );
    tx.query(SQL, &[now.into(), limit.into()]).await?.into_iter().map(read_life).collect()
}

/// When the next lease ends, of any task of any org.
pub async fn next_lease_end(tx: &mut Tx) -> Result<Option<Millis>, StoreError> {
    const SQL: &str = "select min(lease_until) from tasks where status = 'in_progress'";
    let row = tx.query_one_or_none(SQL, &[]).await?;
    row.map_or(Ok(None), |row| row.columns("tasks").millis_or_none("lease_until"))
}

fn read_held(row: Row) -> Result<HeldTask, StoreError> {
    let mut row = row.columns("tasks");
    Ok(HeldTask {
        id: row.id("id")?,
        attempt: row.number("attempt")?,
        run: row.number("run")?,
        lease: row.span("lease_ms")?,
        lease_until: row.millis("lease_until")?,
        cancel_asked: row.flag("cancel_asked")?,
        delivery: row.number("delivery")?,
    })
}
