//! What is forgotten in time: results some days after their receipt, runs after ninety days by this machine's
//! clock. A run whose operation's nonce is still known stays, however far that clock has leapt: without it the
//! same operation would be carried out once more. Done in small steps, so that nothing waits long for it.

use rusqlite::{Connection, params};
use sortie_rules::ids::{Id, TaskId};
use sortie_rules::limits::LEDGER_KEEPS;
use sortie_rules::time::{Millis, Span};
use uuid::{Builder, Uuid};

use super::row::TaskColumn;

/// How long a reported result can be sent again to a hub that was restored from a backup.
pub(crate) const RESULT_KEPT: Span = Span::days(7);
/// Rows looked at in one step.
const STEP_ROWS: usize = 500;

/// One step: looks at some rows after `after` and says where the next step goes on, or `None` at the end.
///
/// Task ids begin with the time at which the task was submitted, and nothing ends before it was
/// submitted: rows of tasks younger than what may be forgotten are not even looked at.
pub(super) fn prune(connection: &Connection, after: Option<TaskId>, now: Millis) -> rusqlite::Result<Option<TaskId>> {
    let (bodies, rows) = (now - RESULT_KEPT, now - LEDGER_KEEPS);
    let after = after.unwrap_or(Id::from_uuid(Uuid::nil()));
    let tasks: Vec<TaskId> = connection
        .prepare_cached("select distinct task from runs where task > ?1 and task < ?2 order by task limit ?3")?
        .query_map(params![TaskColumn(after), TaskColumn(first_id_of(bodies)), STEP_ROWS as i64], |row| {
            Ok(row.get::<_, TaskColumn>(0)?.0)
        })?
        .collect::<rusqlite::Result<_>>()?;
    super::nonce::forget(connection)?;
    let Some(last) = tasks.last().copied() else { return Ok(None) };
    let range = |cut: Millis| params_of(after, last, cut);
    let (from, until, cut) = range(bodies);
    connection
        .prepare_cached(
            "update runs set result = null
             where task > ?1 and task <= ?2 and stage = 'reported' and ended_at < ?3 and result is not null",
        )?
        .execute(params![from, until, cut])?;
    let (from, until, cut) = range(rows);
    connection
        .prepare_cached(
            "delete from runs where task > ?1 and task <= ?2 and stage = 'reported' and ended_at < ?3
             and task not in (select operation from nonces)",
        )?
        .execute(params![from, until, cut])?;
    Ok((tasks.len() == STEP_ROWS).then_some(last))
}

fn params_of(after: TaskId, last: TaskId, cut: Millis) -> (TaskColumn, TaskColumn, i64) {
    (TaskColumn(after), TaskColumn(last), cut.0)
}

/// No id of a task that was submitted before `time` is above this one.
fn first_id_of(time: Millis) -> TaskId {
    let millis = u64::try_from(time.0).unwrap_or(0);
    Id::from_uuid(Builder::from_unix_timestamp_millis(millis, &[0; 10]).into_uuid())
}
