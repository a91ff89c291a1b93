//! The one way to write down any decision about a task.

use std::collections::BTreeSet;

use sortie_rules::ids::TaskId;
use sortie_rules::tasks::Task;
use sortie_rules::time::Millis;

use super::columns;
use crate::errors::StoreError;
use crate::tx::Tx;
use crate::value::Value;

/// What is written beside the state. What the next state cannot have is cleared whatever stands
/// here.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stamps<'a> {
    /// The delivery that carries it now; `None` leaves what stands. A task that waits has none.
    pub delivery: Option<u64>,
    /// When it was handed out; `None` leaves what stands. A task that waits has none.
    pub claimed_at: Option<Millis>,
    /// When it ended. Needed for every end; others have none.
    pub finished_at: Option<Millis>,
    /// What to say about it. Replaces what stands, unless the task is in progress and this is `None`.
    pub message: Option<&'a str>,
    /// What the work gave, as JSON. Only a completed task has one.
    pub result: Option<&'a str>,
    /// The digest of the agent's report that ended it. Only an end has one.
    pub result_digest: Option<&'a [u8]>,
}

/// What became of a task: `after` is what a transition made of `before`.
#[derive(Debug, Clone, Copy)]
pub struct Change<'a> {
    /// Which task.
    pub id: TaskId,
    /// As it was read.
    pub before: &'a Task,
    /// As it is to stand.
    pub after: &'a Task,
    /// What is written beside the state.
    pub stamps: Stamps<'a>,
}

/// Writes down what became of a task. `false` if the task does not stand as `before` any more (same status, attempt
/// and run, and nobody has asked to cancel it since): somebody was quicker, and the caller reads it again.
///
/// A lease that was renewed in the meantime is not made shorter.
pub async fn update(
    tx: &mut Tx,
    id: TaskId,
    before: &Task,
    after: &Task,
    stamps: &Stamps<'_>,
) -> Result<bool, StoreError> {
    Ok(!update_all(tx, &[Change { id, before, after, stamps: *stamps }]).await?.is_empty())
}

/// The same for many tasks, each of which is named once. Returns those that were changed.
pub async fn update_all(tx: &mut Tx, changes: &[Change<'_>]) -> Result<BTreeSet<TaskId>, StoreError> {
    const SQL: &str = "update tasks
        set status = $5, attempt = $6, run = $7, retries = $8, not_before = $9, not_after = $10,
            lease_until = case when lease_until > $11 then lease_until else $11 end,
            cancel_asked = $12, code = $13, ended_by = $14,
            delivery = coalesce($15, delivery),
            claimed_at = case when $5 = 'pending' then null else coalesce($16, claimed_at) end,
            finished_at = $17,
            message = case when $5 = 'in_progress' then coalesce($18, message) else $18 end,
            result = $19, result_digest = $20
        where id = $1 and status = $2 and attempt = $3 and run = $4 and cancel_asked = $21";
    let rows = changes.iter().map(values).collect::<Result<Vec<_>, _>>()?;
    let changed = tx.change_each(SQL, &rows).await?;
    Ok(changes.iter().zip(changed).filter(|(_, changed)| *changed).map(|(change, _)| change.id).collect())
}

fn values<'a>(change: &Change<'a>) -> Result<[Value<'a>; 21], StoreError> {
    let Change { id, before, after, stamps } = *change;
    let status = after.state.status();
    if status.is_terminal() && stamps.finished_at.is_none() {
        return Err(StoreError::Bug { why: format!("task {id} ends without a time") });
    }
    let (from, to) = (columns::of(&before.state), columns::of(&after.state));
    let delivery = if to.status == "pending" { Some(0) } else { stamps.delivery };
    let ended = status.is_terminal().then_some(stamps);
    Ok([
        id.into(),
        from.status.into(),
        before.attempt.into(),
        before.run.into(),
        to.status.into(),
        after.attempt.into(),
        after.run.into(),
        after.retries.into(),
        to.not_before.into(),
        after.not_after.into(),
        to.lease_until.into(),
        to.cancel_asked.into(),
        to.code.into(),
        to.ended_by.into(),
        delivery.into(),
        stamps.claimed_at.into(),
        ended.and_then(|ended| ended.finished_at).into(),
        stamps.message.into(),
        ended.and_then(|ended| ended.result).into(),
        ended.and_then(|ended| ended.result_digest).into(),
        from.cancel_asked.into(),
    ])
}
