//! What can be wrong with the ledger.

use std::path::PathBuf;
use std::sync::Arc;

/// The ledger could not do what was asked. Nothing of it was kept.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LedgerError {
    /// The disk is full.
    #[error("the disk is full; the agent's ledger could not be written")]
    Full,
    /// It was written by a newer program.
    #[error(
        "the ledger {} was written by a newer agent (its form is {found}, this program knows {known}); update this one",
        .path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its form.
        found: i64,
        /// The newest form known here.
        known: i64,
    },
    /// SQLite says no.
    #[error("the agent's ledger cannot be used: {0}")]
    Sqlite(#[source] Arc<rusqlite::Error>),
    /// The thread that writes it has ended.
    #[error("the agent's ledger is closed")]
    Closed,
}

impl From<rusqlite::Error> for LedgerError {
    fn from(error: rusqlite::Error) -> LedgerError {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DiskFull) => LedgerError::Full,
            _ => LedgerError::Sqlite(Arc::new(error)),
        }
    }
}
