//! Opens the ledger's file.

use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::error::LedgerError;

/// The steps to the form of the tables that this program writes. A ledger counts those that it has taken.
const STEPS: [&str; 4] = [
    include_str!("schema.sql"),
    include_str!("refused.sql"),
    include_str!("operations.sql"),
    include_str!("events.sql"),
];
/// Statements kept ready.
const STATEMENTS_MAX: usize = 32;

/// Opens the ledger, and makes it if it is not there.
///
/// A commit is on disk when it returns (`synchronous = full` in WAL mode). The log is moved into the
/// file by the writer when nothing waits, not by whichever commit happens to come a thousandth.
pub(super) fn open(path: &Path) -> Result<Connection, LedgerError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.pragma_update(None, "locking_mode", "exclusive")?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.pragma_update(None, "cache_size", -1024)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    // Else every statement that could have used the partial index is planned anew for each new value.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    bring_up_to_date(&connection, path)?;
    Ok(connection)
}

/// Takes the steps that are missing, all or none.
fn bring_up_to_date(connection: &Connection, path: &Path) -> Result<(), LedgerError> {
    let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let known = STEPS.len() as i64;
    let missing = usize::try_from(found).ok().and_then(|taken| STEPS.get(taken..));
    let Some(missing) = missing else {
        return Err(LedgerError::Newer { path: path.to_owned(), found, known });
    };
    if !missing.is_empty() {
        let steps = missing.concat();
        connection.execute_batch(&format!("begin immediate; {steps} pragma user_version = {known}; commit;"))?;
    }
    Ok(())
}
