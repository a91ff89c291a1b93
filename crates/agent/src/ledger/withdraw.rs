//! The hub does not count a waiting run as held any more: it is forgotten, so that it is accepted
//! anew if it comes again.

use rusqlite::{Connection, params};

use super::row::{RunKey, TaskColumn};

/// Forgets a run that has not begun, unless a newer attempt of it has come in the meantime. Says
/// whether it was forgotten.
pub(super) fn withdraw(connection: &Connection, run: RunKey, attempt: u32) -> rusqlite::Result<bool> {
    let gone = connection
        .prepare_cached("delete from runs where task = ?1 and run = ?2 and stage = 'accepted' and attempt = ?3")?
        .execute(params![TaskColumn(run.task), run.run, attempt])?;
    Ok(gone > 0)
}
