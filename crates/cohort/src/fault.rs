//! What can go wrong, and whether another try may go better.

use std::process::ExitCode;

/// Why there is no count.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// The payload is none that can be counted.
    #[error("the payload: {0}")]
    Payload(String),
    /// The query cannot be run; the database's own words, from before it looked at any row.
    #[error("the query: {0}")]
    Query(String),
    /// The query was run and failed at a row. What the database says of that may hold what stands there, so
    /// only its code is told.
    #[error("the query failed while it ran (code {0}); the database's words may hold data and stay at the site")]
    Failed(String),
    /// The query names a column that its rows do not have.
    #[error("group_by: the query gives no column `{0}`")]
    NoColumn(String),
    /// The database took too long.
    #[error("the database took longer than {0} s; narrow the query, or let the site raise --timeout-s")]
    TooLong(u64),
    /// The site's own arguments cannot be used.
    #[error("the site's settings: {0}")]
    Settings(String),
    /// The database is away.
    #[error("the database: {0}")]
    Away(String),
    /// The database gave something that cannot be.
    #[error("the database: {0}")]
    Database(String),
}

impl Fault {
    /// 75 says that another try may go better, as the agent's `retry_codes` have it.
    pub(crate) fn exit(&self) -> ExitCode {
        match self {
            Fault::Away(_) => ExitCode::from(75),
            Fault::Payload(_) | Fault::Query(_) | Fault::Failed(_) | Fault::NoColumn(_) => ExitCode::from(65),
            Fault::TooLong(_) | Fault::Settings(_) | Fault::Database(_) => ExitCode::FAILURE,
        }
    }
}
