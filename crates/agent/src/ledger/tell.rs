//! Events that the agent tells by itself: kept from the moment at which it is decided that there is something to tell,
//! until the hub has taken them.

use rusqlite::{Connection, OptionalExtension as _, params};
use serde_json::{Map, Value};
use sortie_rules::backups::{BackupFacts, Told, news};
use sortie_rules::ids::{Id, OutboxId};
use sortie_rules::limits::NODE_EVENTS_KEPT;
use sortie_rules::time::Millis;
use sortie_wire::events::{SendEvent, SendEvents};
use uuid::Uuid;

/// A report of a backup's target.
#[derive(Debug)]
pub(crate) struct BackupReport {
    /// Which target.
    pub(crate) target: String,
    /// What it says.
    pub(crate) facts: BackupFacts,
    /// When it was asked for.
    pub(crate) now: Millis,
    /// What the outbox is called if this is the first event of all.
    pub(crate) fresh: OutboxId,
}

/// Keeps what a report has to tell that was not told of its target. Says how much that was.
pub(super) fn tell_backup(connection: &Connection, report: &BackupReport) -> rusqlite::Result<usize> {
    let told = connection
        .prepare_cached("select completed_at, failed_at from told_backups where target = ?1")?
        .query_row([&report.target], |row| {
            let at = |column| Ok::<_, rusqlite::Error>(row.get::<_, Option<i64>>(column)?.map(Millis));
            Ok(Told { completed_at: at(0)?, failed_at: at(1)? })
        })
        .optional()?
        .unwrap_or_default();
    let (all, told) = news(told, &report.target, &report.facts, report.now);
    if all.is_empty() {
        return Ok(0);
    }
    connection
        .prepare_cached("insert into events_outbox (id) select ?1 where not exists (select 1 from events_outbox)")?
        .execute([report.fresh.uuid().as_bytes()])?;
    let mut insert = connection.prepare_cached("insert into events (kind, data) values (?1, ?2)")?;
    for news in &all {
        insert.execute(params![news.kind, news.data.to_string()])?;
    }
    let at = |at: Option<Millis>| at.map(|at| at.0);
    connection
        .prepare_cached(
            "insert into told_backups (target, completed_at, failed_at) values (?1, ?2, ?3)
             on conflict (target) do update set completed_at = ?2, failed_at = ?3",
        )?
        .execute(params![report.target, at(told.completed_at), at(told.failed_at)])?;
    connection
        .prepare_cached("delete from events where number <= (select max(number) from events) - ?1")?
        .execute([i64::try_from(NODE_EVENTS_KEPT).unwrap_or(i64::MAX)])?;
    Ok(all.len())
}

/// The oldest events that the hub has not taken, at most so many; nothing if there are none.
pub(super) fn untaken(connection: &Connection, limit: usize) -> rusqlite::Result<Option<SendEvents>> {
    let mut select = connection.prepare_cached("select number, kind, data from events order by number limit ?1")?;
    let events = select.query_map([i64::try_from(limit).unwrap_or(i64::MAX)], |row| {
        let data: String = row.get(2)?;
        let data: Map<String, Value> = serde_json::from_str(&data).unwrap_or_default();
        Ok(SendEvent { number: row.get::<_, i64>(0)?.unsigned_abs(), kind: row.get(1)?, data })
    })?;
    let events = events.collect::<rusqlite::Result<Vec<_>>>()?;
    if events.is_empty() {
        return Ok(None);
    }
    let outbox =
        connection.prepare_cached("select id from events_outbox")?.query_row([], |row| row.get::<_, [u8; 16]>(0))?;
    Ok(Some(SendEvents { outbox: Id::from_uuid(Uuid::from_bytes(outbox)), events }))
}

/// The hub has taken events up to this number, or will take them never.
pub(super) fn taken(connection: &Connection, until: u64) -> rusqlite::Result<()> {
    let until = i64::try_from(until).unwrap_or(i64::MAX);
    connection.prepare_cached("delete from events where number <= ?1")?.execute([until]).map(drop)
}
