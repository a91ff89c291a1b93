//! `events`: what happened, written in the transaction that made it happen.
//!
//! Everyone who follows events does so by their number, so a number must never appear below one
//! that was seen. On SQLite there is one writer and numbers are given at insert. On PostgreSQL
//! transactions commit in any order, so numbers are given afterwards by [`number_pending`]; until
//! then nobody sees the event.

use sortie_rules::ids::{NodeId, OrgId, TaskId};
use sortie_rules::time::Millis;

use crate::dialect;
use crate::errors::StoreError;
use crate::row::Row;
use crate::tx::Tx;
use crate::value::Value;

/// An event as it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRow {
    /// Its place in the order of all events of all orgs, from 1.
    pub number: u64,
    /// Whose it is.
    pub org: OrgId,
    /// When it happened.
    pub at: Millis,
    /// What happened, for example `task.completed`.
    pub kind: String,
    /// The node that it is about, if it is about one.
    pub node: Option<NodeId>,
    /// The task that it is about, if it is about one.
    pub task: Option<TaskId>,
    /// Who did it.
    pub actor: String,
    /// More about it, as JSON.
    pub data: String,
}

/// An event as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewEvent<'a> {
    /// Whose it is.
    pub org: OrgId,
    /// When it happened.
    pub at: Millis,
    /// What happened, for example `task.completed`.
    pub kind: &'a str,
    /// The node that it is about, if it is about one.
    pub node: Option<NodeId>,
    /// The task that it is about, if it is about one.
    pub task: Option<TaskId>,
    /// Who did it.
    pub actor: &'a str,
    /// More about it, as JSON.
    pub data: &'a str,
}

/// Which events a list should have; what is left out does not narrow it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Only events of this kind, or whose kind begins with it and a dot.
    pub kind: Option<String>,
    /// Only events about this node.
    pub node: Option<NodeId>,
    /// Only events about this task.
    pub task: Option<TaskId>,
}

/// Writes an event.
pub async fn insert(tx: &mut Tx, event: &NewEvent<'_>) -> Result<(), StoreError> {
    insert_all(tx, std::slice::from_ref(event)).await
}

/// Writes events, in this order.
pub async fn insert_all(tx: &mut Tx, events: &[NewEvent<'_>]) -> Result<(), StoreError> {
    const SQL: &str = "insert into events (org, at, kind, node, task, actor, data)
        values ($1, $2, $3, $4, $5, $6, $7)";
    let rows: Vec<[Value<'_>; 7]> = events.iter().map(values).collect();
    tx.execute_each(SQL, &rows).await.map(drop)
}

fn values<'a>(event: &NewEvent<'a>) -> [Value<'a>; 7] {
    let NewEvent { org, at, kind, node, task, actor, data } = *event;
    [org.into(), at.into(), kind.into(), node.into(), task.into(), actor.into(), data.into()]
}

/// Writes an event whose number is `by` above the newest: whatever comes after it has a higher one.
pub async fn leap(tx: &mut Tx, event: &NewEvent<'_>, by: u64) -> Result<(), StoreError> {
    const SQL: &str = "insert into events (number, org, at, kind, node, task, actor, data)
        values ($1, $2, $3, $4, $5, $6, $7, $8)";
    let number = last_number(tx).await?.saturating_add(by);
    let values = [
        number.into(),
        event.org.into(),
        event.at.into(),
        event.kind.into(),
        event.node.into(),
        event.task.into(),
        event.actor.into(),
        event.data.into(),
    ];
    tx.execute(SQL, &values).await.map(drop)
}

/// Numbers up to `limit` committed events that have none, in the order in which they were begun.
/// Returns how many; `limit` means that there may be more. Of hubs that try at once, one waits for
/// the other. On SQLite there is nothing to do.
pub async fn number_pending(tx: &mut Tx, limit: u32) -> Result<u64, StoreError> {
    if !tx.is_postgres() {
        return Ok(0);
    }
    const PENDING: &str =
        "select row_id, cast(ctid as text) as place from events where number is null order by row_id limit $1";
    // Found by their places, which nobody changes while the lock is held: of two indexes that know what has no number
    // the planner may take the wrong one, and compare all that wait with all that are numbered. `width_bucket` tells
    // how manieth one is in a sorted list.
    const NUMBER: &str = "update events set number = \
                          cast($3 as bigint) + width_bucket(row_id, (select cast(cast($2 as text) as bigint[]))) \
                          where ctid = any(cast((select cast(cast($1 as text) as tid[])) as tid[]))";
    // A statement of its own: the next ones must see what the last holder of the lock committed.
    tx.query(dialect::LOCK_EVENT_NUMBERS, &[]).await?;
    let last = last_number(tx).await?;
    let (mut places, mut ids) = (Vec::new(), Vec::new());
    for row in tx.query(PENDING, &[limit.into()]).await? {
        let mut row = row.columns("events");
        ids.push(row.int("row_id")?.to_string());
        // `(0,1)`, with a comma in it.
        places.push(format!("\"{}\"", row.text("place")?));
    }
    if ids.is_empty() {
        return Ok(0);
    }
    let (places, ids) = (format!("{{{}}}", places.join(",")), format!("{{{}}}", ids.join(",")));
    tx.execute(NUMBER, &[places.as_str().into(), ids.as_str().into(), last.into()]).await
}

/// A change that hubs keep something of in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// In which org.
    pub org: OrgId,
    /// What happened.
    pub kind: String,
    /// To which node.
    pub node: Option<NodeId>,
    /// What else is known of it, as JSON.
    pub data: String,
}

/// Changes of nodes, desired states, secrets, tokens, sessions, operators, alarm rules, maintenance and org settings of
/// all orgs whose events have a number after `after`, up to `until`.
pub async fn changes_between(tx: &mut Tx, after: u64, until: u64) -> Result<Vec<Change>, StoreError> {
    const SQL: &str = "select org, kind, node, data from events where number > $1 and number <= $2
        and (kind = 'node.changed' or kind = 'node.revoked' or kind = 'node.enrolled' or kind = 'node.key_changed'
            or kind = 'node.renewed' or kind = 'node.quarantined' or kind = 'node.readmitted'
            or kind = 'token.revoked' or kind = 'token.denied' or kind = 'setting.changed'
            or kind = 'setting.evicted' or kind = 'session.ended' or kind = 'operators.published'
            or kind = 'keys.rotated' or kind = 'node.stale' or kind = 'node.down' or kind = 'node.recovered'
            or kind = 'keys.begun' or kind = 'keys.finished' or kind = 'keys.given' or kind = 'keys.resealed'
            or kind = 'desired.released' or kind = 'desired.taken_back' or kind = 'secret.changed'
            or kind = 'alarm_rule.changed' or kind = 'maintenance.started' or kind = 'maintenance.ended')
        order by number";
    let rows = tx.query(SQL, &[after.into(), until.into()]).await?;
    let read = |row: Row| {
        let mut row = row.columns("events");
        Ok(Change {
            org: row.id("org")?,
            kind: row.text("kind")?,
            node: row.id_or_none("node")?,
            data: row.text("data")?,
        })
    };
    rows.into_iter().map(read).collect()
}

/// Of which kinds there are events in which orgs with a number after `after`, up to `until`, and the highest number of
/// each.
pub async fn kinds_between(tx: &mut Tx, after: u64, until: u64) -> Result<Vec<(OrgId, String, u64)>, StoreError> {
    const SQL: &str = "select org, kind, max(number) as newest from events where number > $1 and number <= $2
        group by org, kind";
    let rows = tx.query(SQL, &[after.into(), until.into()]).await?;
    let read = |row: Row| {
        let mut row = row.columns("events");
        Ok((row.id("org")?, row.text("kind")?, row.number("newest")?))
    };
    rows.into_iter().map(read).collect()
}

/// The number of the newest event of any org; 0 if there is none.
pub async fn last_number(tx: &mut Tx) -> Result<u64, StoreError> {
    const SQL: &str = "select coalesce(max(number), 0) from events";
    let row = tx.query_one_or_none(SQL, &[]).await?;
    row.map_or(Ok(0), |row| row.columns("events").number("number"))
}

/// The number of the oldest event of any org that is kept; none if there is no event.
pub async fn oldest_number(tx: &mut Tx) -> Result<Option<u64>, StoreError> {
    const SQL: &str = "select number from events where number > 0 order by number limit 1";
    let row = tx.query_one_or_none(SQL, &[]).await?;
    row.map(|row| row.columns("events").number("number")).transpose()
}

/// Up to `limit` events of all orgs, in the order of their numbers, after the number `after`.
pub async fn list_of_all_orgs(tx: &mut Tx, after: u64, limit: u32) -> Result<Vec<EventRow>, StoreError> {
    const SQL: &str = "select number, org, at, kind, node, task, actor, data from events where number > $1
        order by number limit $2";
    tx.query(SQL, &[after.into(), limit.into()]).await?.into_iter().map(read).collect()
}

/// The columns and conditions that both lists share. $2 is the cursor.
macro_rules! list_events {
    ($from_cursor:literal, $order:literal) => {
        concat!(
            "select number, org, at, kind, node, task, actor, data from events where org = $1 and number ",
            $from_cursor,
            " $2 and (cast($3 as text) is null or kind = $3 or (kind > $4 and kind < $5))
                and (cast($6 as text) is null or node = $6) and (cast($7 as text) is null or task = $7)
            order by number ",
            $order,
            " limit $8"
        )
    };
    // A task has few events and an index; without this form its history would be looked for in all events.
    (of_task $from_cursor:literal, $order:literal) => {
        concat!(
            "select number, org, at, kind, node, task, actor, data from events where org = $1 and number ",
            $from_cursor,
            " $2 and (cast($3 as text) is null or kind = $3 or (kind > $4 and kind < $5))
                and (cast($6 as text) is null or node = $6) and task = $7
            order by number + 0 ",
            $order,
            " limit $8"
        )
    };
}

/// Up to `limit` events in the order of their numbers, after the number `after`.
pub async fn list(
    tx: &mut Tx,
    org: OrgId,
    filter: &EventFilter,
    after: u64,
    limit: u32,
) -> Result<Vec<EventRow>, StoreError> {
    let sql = match filter.task {
        None => list_events!(">", "asc"),
        Some(_) => list_events!(of_task ">", "asc"),
    };
    select(tx, sql, org, filter, after, limit).await
}

/// Up to `limit` events, newest first, below the number `before`.
pub async fn list_newest(
    tx: &mut Tx,
    org: OrgId,
    filter: &EventFilter,
    before: Option<u64>,
    limit: u32,
) -> Result<Vec<EventRow>, StoreError> {
    let sql = match filter.task {
        None => list_events!("<", "desc"),
        Some(_) => list_events!(of_task "<", "desc"),
    };
    select(tx, sql, org, filter, before.unwrap_or(i64::MAX as u64), limit).await
}

/// Deletes up to `limit` events that are older than `before`, oldest first, and none with a number above
/// `until`, if there is one. The newest event always stays: the next number is told from it. Returns how many.
pub async fn delete_older(tx: &mut Tx, before: Millis, until: Option<u64>, limit: u32) -> Result<u64, StoreError> {
    const SQL: &str = "delete from events where number in (select number from events
        where number < (select max(number) from events) and number <= $3 order by number limit $2) and at < $1";
    let until = until.unwrap_or(i64::MAX.unsigned_abs());
    tx.execute(SQL, &[before.into(), limit.into(), until.into()]).await
}

async fn select(
    tx: &mut Tx,
    sql: &'static str,
    org: OrgId,
    filter: &EventFilter,
    cursor: u64,
    limit: u32,
) -> Result<Vec<EventRow>, StoreError> {
    let under = filter.kind.as_ref().map(|kind| format!("{kind}."));
    let under_end = under.as_deref().and_then(dialect::prefix_end);
    let values = [
        org.into(),
        cursor.into(),
        filter.kind.as_deref().into(),
        under.as_deref().into(),
        under_end.as_deref().into(),
        filter.node.into(),
        filter.task.into(),
        limit.into(),
    ];
    tx.query(sql, &values).await?.into_iter().map(read).collect()
}

fn read(row: Row) -> Result<EventRow, StoreError> {
    let mut row = row.columns("events");
    Ok(EventRow {
        number: row.number("number")?,
        org: row.id("org")?,
        at: row.millis("at")?,
        kind: row.text("kind")?,
        node: row.id_or_none("node")?,
        task: row.id_or_none("task")?,
        actor: row.text("actor")?,
        data: row.text("data")?,
    })
}
