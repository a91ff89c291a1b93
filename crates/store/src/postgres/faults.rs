//! The server's errors, sorted by what a caller may do about them.

use deadpool_postgres::PoolError;
use tokio_postgres::Error;
use tokio_postgres::error::{DbError, SqlState};

use crate::dialect;
use crate::errors::StoreError;

pub(super) fn fault(error: &Error) -> StoreError {
    match error.as_db_error() {
        Some(refusal) => refused(refusal),
        // A value that does not fit its parameter never reached the server.
        None if error.to_string().starts_with("error serializing") => StoreError::Bug { why: words(error) },
        None => StoreError::Unavailable { why: words(error) },
    }
}

pub(super) fn pool_fault(error: &PoolError) -> StoreError {
    match error {
        PoolError::Backend(error) => fault(error),
        PoolError::Closed => StoreError::Closed,
        PoolError::Timeout(_) => StoreError::Unavailable { why: "no connection became free in time".to_owned() },
        other => StoreError::Unavailable { why: other.to_string() },
    }
}

fn refused(refusal: &DbError) -> StoreError {
    let why = refusal.message().to_owned();
    let code = refusal.code();
    let class = &code.code()[..2];
    match class {
        _ if *code == SqlState::UNIQUE_VIOLATION => match refusal.constraint().and_then(dialect::unique_by_name) {
            Some(constraint) => StoreError::Unique { constraint },
            None => StoreError::Bug { why: format!("a unique key without a name: {why}") },
        },
        // Class 23: integrity constraints.
        "23" => StoreError::Constraint { constraint: refusal.constraint().map_or(why, str::to_owned) },
        _ if *code == SqlState::DISK_FULL => StoreError::Full { why },
        // Connections, resources, operators' doings, deadlocks and the like, and a server that
        // only takes reads because it is a standby: another try may go better.
        "08" | "53" | "57" | "58" | "40" | "55" | "28" | "3D" => StoreError::Unavailable { why },
        _ if *code == SqlState::READ_ONLY_SQL_TRANSACTION => StoreError::Unavailable { why },
        _ => StoreError::Bug { why: format!("{} {why}", code.code()) },
    }
}

/// The error with its causes; the outermost alone says little more than that there is one.
pub(super) fn words(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |all, cause| format!("{all}: {cause}"))
}
