//! A run ends: its result is on disk before it is reported.

use std::sync::Arc;

use rusqlite::{Connection, params};
use sortie_rules::time::Millis;

use super::row::{RunKey, TaskColumn};

/// A run that has ended, with its result as it is reported.
#[derive(Debug, Clone)]
pub(crate) struct Ended {
    /// Which run.
    pub(crate) run: RunKey,
    /// Its result: a `RunResult` in JSON.
    pub(crate) result: Arc<Vec<u8>>,
    /// When it ended.
    pub(crate) at: Millis,
}

pub(super) fn finish(connection: &Connection, ended: &Ended) -> rusqlite::Result<()> {
    let changed = connection
        .prepare_cached(
            "update runs set stage = 'done', result = ?3, ended_at = ?4, handed = null
             where task = ?1 and run = ?2 and stage <> 'reported'",
        )?
        .execute(params![TaskColumn(ended.run.task), ended.run.run, *ended.result, ended.at.0])?;
    super::reboot::forget(connection, ended.run)?;
    if changed == 0 {
        tracing::warn!(task = %ended.run.task, run = ended.run.run, "a run ended that the ledger does not hold");
    }
    Ok(())
}
