//! How a run of a task ended, as the agent tells it or as the hub had to conclude.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why a task did not complete: a stable word that programs may decide on. Handlers may use words of
/// their own; those below are Sortie's.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Code(pub String);

impl Code {
    /// The hub waited for the agent as often as it may; the work was never reported.
    pub const LEASE_EXPIRED: &'static str = "lease_expired";
    /// `not_after` passed before the work was done.
    pub const EXPIRED: &'static str = "expired";
    /// Someone cancelled it.
    pub const CANCELLED: &'static str = "cancelled";
    /// The agent stopped in the middle of work that may not be repeated.
    pub const INTERRUPTED: &'static str = "interrupted";
    /// The agent has no handler for this type, or its policy does not list it.
    pub const TYPE_NOT_ALLOWED: &'static str = "type_not_allowed";
    /// The agent's policy forbids what the payload asks for.
    pub const FORBIDDEN_BY_POLICY: &'static str = "forbidden_by_policy";
    /// The payload is not what the handler takes.
    pub const BAD_PAYLOAD: &'static str = "bad_payload";
    /// The handler failed.
    pub const HANDLER_FAILED: &'static str = "handler_failed";
    /// The result is larger than may be sent inline.
    pub const RESULT_TOO_LARGE: &'static str = "result_too_large";
    /// The result does not fit the type's schema.
    pub const RESULT_INVALID: &'static str = "result_invalid";

    /// A code from a word.
    pub fn new(word: impl Into<String>) -> Code {
        Code(word.into())
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How one run ended at the agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The work is done.
    Completed,
    /// The work failed. If `retry`, it may go better another time.
    Failed {
        /// Why.
        code: Code,
        /// Whether another try makes sense.
        retry: bool,
    },
    /// A crash cut work that may not be repeated. Never retried by itself.
    Interrupted,
    /// The agent refused: policy, verification or payload. Never retried by itself.
    Rejected {
        /// Why.
        code: Code,
    },
    /// The agent stopped it because it was told to.
    Cancelled,
}
