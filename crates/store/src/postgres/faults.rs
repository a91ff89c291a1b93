//! The server's errors, sorted by what a caller may do about them.

use std::time::Duration;

use deadpool_postgres::{HookError, PoolError};
use tokio_postgres::Error;
use tokio_postgres::error::{DbError, Severity, SqlState};

use crate::dialect;
use crate::errors::StoreError;

/// A statement that did not succeed, and what that means for its connection.
#[derive(Debug)]
pub(super) struct Trouble {
    pub(super) kind: Kind,
    pub(super) error: StoreError,
}

/// What a failed statement means for its connection and its transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The server said no, and listens on.
    Refused,
    /// Others stood in the way: the server undid the transaction, and another try may go better.
    Contended,
    /// On this connection nothing is written: the server has become a standby, say.
    ReadOnly,
    /// The connection is gone, and with it what was not committed.
    Lost,
    /// No answer came in time.
    Silent,
}

impl Trouble {
    /// No answer came within this time.
    pub(super) fn silent(within: Duration) -> Trouble {
        let why = format!("it has not answered for {} s", within.as_secs());
        Trouble { kind: Kind::Silent, error: StoreError::Unavailable { why } }
    }

    /// The connection was found dead.
    pub(super) fn dead() -> Trouble {
        let why = "the connection was lost".to_owned();
        Trouble { kind: Kind::Lost, error: StoreError::Unavailable { why } }
    }
}

/// What this error means.
pub(super) fn trouble(error: &Error) -> Trouble {
    Trouble { kind: kind(error), error: fault(error) }
}

fn kind(error: &Error) -> Kind {
    let Some(refusal) = error.as_db_error() else {
        // A value that does not fit its parameter never reached the server.
        return if is_unfit(error) { Kind::Refused } else { Kind::Lost };
    };
    match refusal.parsed_severity() {
        Some(Severity::Fatal | Severity::Panic) => Kind::Lost,
        _ if [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED].contains(refusal.code()) => {
            Kind::Contended
        }
        _ if *refusal.code() == SqlState::READ_ONLY_SQL_TRANSACTION => Kind::ReadOnly,
        _ => Kind::Refused,
    }
}

fn is_unfit(error: &Error) -> bool {
    error.to_string().starts_with("error serializing")
}

/// The store's word for it.
pub(super) fn fault(error: &Error) -> StoreError {
    match error.as_db_error() {
        Some(refusal) => refused(refusal),
        None if is_unfit(error) => StoreError::Bug { why: words(error) },
        None => StoreError::Unavailable { why: words(error) },
    }
}

/// The same for a pool that gives no connection.
pub(super) fn pool_fault(error: &PoolError) -> StoreError {
    match (behind(error), error) {
        (Some(error), _) => fault(error),
        (None, PoolError::Closed) => StoreError::Closed,
        (None, PoolError::Timeout(_)) => {
            StoreError::Unavailable { why: "no connection became free in time".to_owned() }
        }
        (None, other) => StoreError::Unavailable { why: other.to_string() },
    }
}

/// Whether the server has no room for one more connection; one that is held already may become free.
pub(super) fn is_crowded(error: &PoolError) -> bool {
    code_of(error) == Some(&SqlState::TOO_MANY_CONNECTIONS)
}

/// Whether time alone may mend it: a server that is away, starting or in the middle of a failover, and not
/// a wrong password, a database that does not exist or a certificate that is not believed.
pub(super) fn may_pass(error: &PoolError) -> bool {
    match (behind(error), code_of(error)) {
        (_, Some(code)) => !["28", "3D", "42"].contains(&&code.code()[..2]),
        (Some(error), None) => !error.to_string().contains("TLS handshake"),
        (None, None) => !matches!(error, PoolError::Closed),
    }
}

fn behind(error: &PoolError) -> Option<&Error> {
    match error {
        PoolError::Backend(error) | PoolError::PostCreateHook(HookError::Backend(error)) => Some(error),
        _ => None,
    }
}

fn code_of(error: &PoolError) -> Option<&SqlState> {
    behind(error).and_then(Error::code)
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
        _ if *code == SqlState::READ_ONLY_SQL_TRANSACTION || *code == SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT => {
            StoreError::Unavailable { why }
        }
        _ => StoreError::Bug { why: format!("{} {why}", code.code()) },
    }
}

/// The error with its causes; the outermost alone says little more than that there is one.
pub(super) fn words(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |all, cause| format!("{all}: {cause}"))
}
