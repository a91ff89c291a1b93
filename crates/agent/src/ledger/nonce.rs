//! The nonce of an operation: written down with the run that it came with, and its own until it has expired.

use rusqlite::{Connection, params};
use sortie_rules::ids::TaskId;

use super::row::TaskColumn;
use crate::operations::Borne;

/// Takes a nonce for an operation, unless another has it. Says whose it is.
pub(super) fn claim(connection: &Connection, borne: &Borne) -> rusqlite::Result<TaskId> {
    connection
        .prepare_cached("insert into nonces (nonce, operation, expires_at) values (?1, ?2, ?3) on conflict do nothing")?
        .execute(params![borne.nonce, TaskColumn(borne.operation), borne.expires_at.0])?;
    connection
        .prepare_cached("select operation from nonces where nonce = ?1")?
        .query_row([&borne.nonce], |row| Ok(row.get::<_, TaskColumn>(0)?.0))
}

/// Forgets what has expired by the latest time that the hub has signed. That time never goes back, and what
/// has expired by it is refused for that reason.
pub(super) fn forget(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute("delete from nonces where expires_at < (select hub_time from line)", [])?;
    Ok(())
}
