//! A reboot is asked for: that its run has begun, and in which boot, is on disk before.

use rusqlite::{Connection, params};
use sortie_rules::time::Millis;
use sortie_wire::deliveries::HandedTask;

use super::row::{RunKey, TaskColumn};

/// A reboot that was asked for before the agent started.
#[derive(Debug)]
pub(crate) struct Rebooting {
    /// The task as it was handed out, with its newest attempt.
    pub(crate) handed: HandedTask,
    /// The kernel's boot id when it was asked for.
    pub(crate) boot: String,
    /// When that was.
    pub(crate) asked_at: Millis,
}

/// A run that reboots the machine begins.
#[derive(Debug, Clone)]
pub(crate) struct BeginReboot {
    pub(crate) run: RunKey,
    pub(crate) boot: String,
    pub(crate) at: Millis,
}

/// Writes it down.
pub(super) fn begin_reboot(connection: &Connection, begin: &BeginReboot) -> rusqlite::Result<()> {
    let BeginReboot { run, boot, at } = begin;
    super::begin::begin(connection, *run)?;
    connection
        .prepare_cached("insert into reboots (task, run, boot, asked_at) values (?1, ?2, ?3, ?4)")?
        .execute(params![TaskColumn(run.task), run.run, boot, at.0])?;
    Ok(())
}

/// Its run has ended.
pub(super) fn forget(connection: &Connection, run: RunKey) -> rusqlite::Result<()> {
    connection
        .prepare_cached("delete from reboots where task = ?1 and run = ?2")?
        .execute(params![TaskColumn(run.task), run.run])?;
    Ok(())
}
