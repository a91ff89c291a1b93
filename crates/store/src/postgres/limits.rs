//! What the engine waits for, and how long.

use std::time::Duration;

use sortie_rules::limits::{DATABASE_CONNECTION_WAIT, DATABASE_SILENCE_MAX, DATABASE_STATEMENT_MAX};
use sortie_rules::time::Span;

/// Limits of the line to a PostgreSQL server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerLimits {
    /// How long opening waits for a server that is away: zero to try once.
    pub start_wait: Span,
    /// Longest wait for a connection to become free, to be made or to be found alive.
    pub connection_wait: Span,
    /// Longest time of one statement. The server ends what takes longer.
    pub statement_max: Span,
}

impl Default for ServerLimits {
    fn default() -> ServerLimits {
        ServerLimits {
            start_wait: Span(0),
            connection_wait: DATABASE_CONNECTION_WAIT,
            statement_max: DATABASE_STATEMENT_MAX,
        }
    }
}

/// By how much the answer to a statement may be later than the server's own end of it.
const ANSWER_LEEWAY: Span = Span::seconds(2);

/// Longest wait for a lock: shorter than a statement, so that it is the lock that is named.
const LOCK_WAIT_MAX: Span = Span::seconds(10);

impl ServerLimits {
    /// How long an answer is waited for before the line counts as lost: the server ends a statement by
    /// itself, so one that says nothing for longer hangs, or cannot be heard any more.
    pub(super) fn answer_max(&self) -> Duration {
        Span(self.statement_max.0 + ANSWER_LEEWAY.0).to_std()
    }

    /// What each new connection is told.
    ///
    /// No statement and no lock is waited for without end, and a hub that hangs, or is cut off, in the middle of a
    /// transaction does not hold its rows for long. Plans are made once for a connection, without looking
    /// at values. They go by an index wherever there is one, and join row by row: a plan that was made while
    /// a table was small must not become a scan, or a hash, of the grown one. These are the plans that the
    /// suite asserts. Compiling them would take longer than running them.
    pub(super) fn set_up(&self) -> String {
        let (statement, lock) = (self.statement_max.0, LOCK_WAIT_MAX.0.min(self.statement_max.0));
        let silence = DATABASE_SILENCE_MAX.0;
        format!(
            "set statement_timeout = {statement};
             set lock_timeout = {lock};
             set idle_in_transaction_session_timeout = {silence};
             set plan_cache_mode = force_generic_plan;
             set enable_seqscan = off;
             set enable_hashjoin = off;
             set enable_mergejoin = off;
             set jit = off"
        )
    }
}
