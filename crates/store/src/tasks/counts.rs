//! How many tasks stand where, for summaries. What can be very many is counted only so far: a number that is the limit
//! means so many or more.

use sortie_rules::ids::OrgId;
use sortie_rules::tasks::Status;
use sortie_rules::time::Millis;
use uuid::Uuid;

use super::retention::first_id_of;
use crate::errors::StoreError;
use crate::tx::Tx;
use crate::value::Value;

/// How many tasks of an org stand where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TaskCounts {
    /// In queues.
    pub pending: u64,
    /// Under way.
    pub in_progress: u64,
    /// Failed because no lease brought an answer; an operator can requeue them.
    pub dead: u64,
    /// Submitted since the instant that was given, and completed.
    pub completed: u64,
    /// Failed since then, whenever they were submitted; the dead ones among them.
    pub failed: u64,
    /// Refused by their sites since then.
    pub rejected: u64,
    /// Called off since then.
    pub cancelled: u64,
    /// Not begun in time since then.
    pub expired: u64,
}

/// Counts an org's tasks, of each sort at most `limit`; of those that have ended only what is not older than `since`.
pub async fn counts(tx: &mut Tx, org: OrgId, since: Millis, limit: u64) -> Result<TaskCounts, StoreError> {
    // Ids sort by the time at which they were made, so what was submitted since then is the end of a list that has its
    // index anyway. An index on the end of each task would be one more write in each task's life.
    const SUBMITTED: &str = "select count(*) from (select id from tasks
        where org = $1 and status = $2 and id >= $3 limit $4) counted";
    const ENDED: &str = "select count(*) from (select id from tasks
        where org = $1 and status = $2 and status <> 'completed' and finished_at is not null and finished_at >= $3
        limit $4) counted";
    const DEAD: &str = "select count(*) from (select id from tasks
        where org = $1 and status = 'failed' and code = 'lease_expired' limit $2) counted";
    let (any, made_since) = (Value::Id(Uuid::nil()), Value::Id(first_id_of(since)));
    let of = |status: Status, from: Value<'static>| [org.into(), status.as_str().into(), from, limit.into()];
    Ok(TaskCounts {
        pending: number(tx, SUBMITTED, &of(Status::Pending, any)).await?,
        in_progress: number(tx, SUBMITTED, &of(Status::InProgress, any)).await?,
        dead: number(tx, DEAD, &[org.into(), limit.into()]).await?,
        completed: number(tx, SUBMITTED, &of(Status::Completed, made_since)).await?,
        failed: number(tx, ENDED, &of(Status::Failed, since.into())).await?,
        rejected: number(tx, ENDED, &of(Status::Rejected, since.into())).await?,
        cancelled: number(tx, ENDED, &of(Status::Cancelled, since.into())).await?,
        expired: number(tx, ENDED, &of(Status::Expired, since.into())).await?,
    })
}

async fn number(tx: &mut Tx, sql: &'static str, values: &[Value<'_>]) -> Result<u64, StoreError> {
    let row = tx.query_one_or_none(sql, values).await?;
    row.map_or(Ok(0), |row| row.columns("tasks").number("count"))
}
