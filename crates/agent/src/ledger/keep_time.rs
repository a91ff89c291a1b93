//! The latest time that the hub has signed: it never goes back, and what was once told is not told away by a
//! restart.

use rusqlite::{Connection, params};
use sortie_rules::time::Millis;

pub(super) fn keep_time(connection: &Connection, at: Millis) -> rusqlite::Result<()> {
    connection.prepare_cached("update line set hub_time = max(hub_time, ?1)")?.execute(params![at.0])?;
    Ok(())
}
