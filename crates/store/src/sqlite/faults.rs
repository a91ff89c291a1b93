//! SQLite's errors, sorted by what a caller may do about them.

use std::path::Path;

use rusqlite::{Error, ErrorCode, ffi};

use crate::dialect;
use crate::errors::{OpenError, StoreError};

/// A file that cannot be opened, and why.
pub(super) fn unreachable(file: &Path, why: &impl ToString) -> OpenError {
    OpenError::Unreachable { what: file.display().to_string(), why: why.to_string() }
}

pub(super) fn fault(error: &Error) -> StoreError {
    let Error::SqliteFailure(failure, words) = error else {
        return StoreError::Bug { why: error.to_string() };
    };
    let why = words.clone().unwrap_or_else(|| failure.to_string());
    match failure.code {
        ErrorCode::ConstraintViolation => constraint(failure.extended_code, &why),
        ErrorCode::DiskFull => StoreError::Full { why },
        ErrorCode::DatabaseBusy
        | ErrorCode::DatabaseLocked
        | ErrorCode::CannotOpen
        | ErrorCode::SystemIoFailure
        | ErrorCode::FileLockingProtocolFailed
        | ErrorCode::PermissionDenied
        | ErrorCode::ReadOnly
        | ErrorCode::NotADatabase
        | ErrorCode::DatabaseCorrupt
        | ErrorCode::OutOfMemory
        | ErrorCode::OperationInterrupted => StoreError::Unavailable { why },
        _ => StoreError::Bug { why },
    }
}

/// SQLite says `UNIQUE constraint failed: nodes.org, nodes.name`, `CHECK constraint failed: name`,
/// or `FOREIGN KEY constraint failed` without a name.
fn constraint(extended_code: i32, words: &str) -> StoreError {
    let after_colon = words.split_once(": ").map_or(words, |(_, named)| named);
    match extended_code {
        ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_ROWID => {
            match dialect::unique_by_columns(after_colon) {
                Some(constraint) => StoreError::Unique { constraint },
                None => StoreError::Bug { why: format!("a unique key without a name: {words}") },
            }
        }
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY => StoreError::Constraint { constraint: "foreign key".to_owned() },
        _ => StoreError::Constraint { constraint: after_colon.to_owned() },
    }
}
