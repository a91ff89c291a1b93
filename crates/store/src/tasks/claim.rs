//! What a node may be handed, and the note that it was.

use std::collections::BTreeSet;

use sortie_rules::ids::{NodeId, TaskId};
use sortie_rules::tasks::{State, Status, Task};
use sortie_rules::time::Millis;

use super::row::{TaskRow, read, task_columns};
use crate::errors::StoreError;
use crate::tx::Tx;
use crate::value::Value;

/// Which tasks a node may be handed at $2, first to be handed first.
macro_rules! claimable_tasks {
    () => {
        " from tasks
        where node = $1 and status = 'pending' and (not_before is null or not_before <= $2)
            and (not_after is null or not_after > $2)
        order by priority desc, id limit $3"
    };
}

/// Up to `limit` tasks that the node may be handed at `now`, those of higher priority first, then
/// the older ones. Their payloads are at most `bytes_max` bytes together, unless the first alone has
/// more.
pub async fn claimable(
    tx: &mut Tx,
    node: NodeId,
    now: Millis,
    limit: u32,
    bytes_max: usize,
) -> Result<Vec<TaskRow>, StoreError> {
    // Payloads are weighed before any is read: a hundred of the largest would be 100 MiB.
    const WEIGH: &str = concat!("select cast(octet_length(payload) as bigint)", claimable_tasks!());
    const READ: &str = concat!("select ", task_columns!(), claimable_tasks!());
    let mut bytes = 0;
    let mut fitting: u32 = 0;
    for row in tx.query(WEIGH, &[node.into(), now.into(), limit.into()]).await? {
        bytes += row.columns("tasks").number::<usize>("payload")?;
        if bytes > bytes_max && fitting > 0 {
            break;
        }
        fitting += 1;
    }
    if fitting == 0 {
        return Ok(Vec::new());
    }
    tx.query(READ, &[node.into(), now.into(), fitting.into()]).await?.into_iter().map(read).collect()
}

/// Writes down that a task was handed out: `after` is what `sortie_rules::tasks::claim` made of
/// `before`. `false` if the task does not stand as `before` any more: somebody was quicker.
pub async fn claim(
    tx: &mut Tx,
    id: TaskId,
    before: &Task,
    after: &Task,
    delivery: u64,
    claimed_at: Millis,
) -> Result<bool, StoreError> {
    Ok(!claim_all(tx, &[(id, before, after)], delivery, claimed_at).await?.is_empty())
}

/// The same for many tasks in one delivery, each of which is named once. Returns those that were claimed.
pub async fn claim_all(
    tx: &mut Tx,
    claims: &[(TaskId, &Task, &Task)],
    delivery: u64,
    claimed_at: Millis,
) -> Result<BTreeSet<TaskId>, StoreError> {
    // The word `pending` is a value, so that no engine takes the index of all that waits for this.
    const SQL: &str = "update tasks
        set status = 'in_progress', attempt = $4, not_before = null, lease_until = $5, delivery = $6, claimed_at = $7
        where id = $1 and status = $8 and attempt = $2 and run = $3";
    let mut rows: Vec<[Value<'_>; 8]> = Vec::with_capacity(claims.len());
    for (id, before, after) in claims {
        let (State::Pending { .. }, State::InProgress { lease_until, .. }) = (&before.state, &after.state) else {
            return Err(StoreError::Bug { why: format!("task {id} is claimed out of the order of its life") });
        };
        rows.push([
            (*id).into(),
            before.attempt.into(),
            before.run.into(),
            after.attempt.into(),
            (*lease_until).into(),
            delivery.into(),
            claimed_at.into(),
            Status::Pending.as_str().into(),
        ]);
    }
    let claimed = tx.change_each(SQL, &rows).await?;
    Ok(claims.iter().zip(claimed).filter(|(_, claimed)| *claimed).map(|((id, ..), _)| *id).collect())
}
