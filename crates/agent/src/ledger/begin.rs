//! A run that may not be repeated begins: that is on disk before its first effect.

use rusqlite::{Connection, params};

use super::row::{RunKey, TaskColumn};

pub(super) fn begin(connection: &Connection, run: RunKey) -> rusqlite::Result<()> {
    connection
        .prepare_cached("update runs set stage = 'started' where task = ?1 and run = ?2 and stage = 'accepted'")?
        .execute(params![TaskColumn(run.task), run.run])?;
    Ok(())
}
