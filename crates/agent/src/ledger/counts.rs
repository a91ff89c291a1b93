//! How much the ledger of a data folder holds, for whoever looks at an agent from outside.

use std::path::Path;

use rusqlite::Connection;
use sortie_rules::ledger::Stage;

use super::error::LedgerError;
use super::file;
use crate::data_folder::{DataFolder, FolderError};

/// What an agent that is not running has left in its ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LedgerCounts {
    /// Runs that are accepted and not begun.
    pub accepted: u32,
    /// Runs that were begun and have not ended.
    pub started: u32,
    /// Results that the hub has not acknowledged yet.
    pub done: u32,
    /// Runs that the hub knows the end of.
    pub reported: u32,
}

/// Counts the ledger of a data folder; `None` while an agent runs on it, whose own it then is.
pub fn count_ledger(data: &Path) -> Result<Option<LedgerCounts>, CountError> {
    let folder = match DataFolder::open(data) {
        Ok(folder) => folder,
        Err(FolderError::InUse(_)) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let path = folder.path().join("ledger.db");
    if !path.exists() {
        return Ok(Some(LedgerCounts::default()));
    }
    let connection = file::open(&path)?;
    Ok(Some(count(&connection).map_err(LedgerError::from)?))
}

/// The ledger could not be looked at.
#[derive(Debug, thiserror::Error)]
pub enum CountError {
    /// The folder cannot be used.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The ledger cannot be used.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

fn count(connection: &Connection) -> rusqlite::Result<LedgerCounts> {
    let mut counts = LedgerCounts::default();
    let mut statement = connection.prepare("select stage, count(*) from runs group by stage")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (stage, runs): (String, u32) = (row.get(0)?, row.get(1)?);
        match Stage::parse(&stage) {
            Some(Stage::Accepted) => counts.accepted = runs,
            Some(Stage::Started) => counts.started = runs,
            Some(Stage::Done) => counts.done = runs,
            Some(Stage::Reported) => counts.reported = runs,
            // The table lets no other word in.
            None => {}
        }
    }
    Ok(counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_counted_unless_its_agent_runs() {
        let scratch = tempfile::tempdir().unwrap();
        assert_eq!(count_ledger(scratch.path()).unwrap(), Some(LedgerCounts::default()), "no ledger yet");
        let connection = file::open(&scratch.path().join("ledger.db")).unwrap();
        let insert = "insert into runs (task, run, attempt, stage, idempotent, delivery, position, handed)
                      values (zeroblob(16), 1, 1, 'accepted', 0, 1, 1, x'7b7d')";
        connection.execute(insert, []).unwrap();
        drop(connection);
        let counted = count_ledger(scratch.path()).unwrap();
        assert_eq!(counted, Some(LedgerCounts { accepted: 1, ..LedgerCounts::default() }));
        let _running = DataFolder::open(scratch.path()).unwrap();
        assert_eq!(count_ledger(scratch.path()).unwrap(), None);
    }
}
