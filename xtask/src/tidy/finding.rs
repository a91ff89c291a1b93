//! What a rule says when it is not met: where, why, and what to do about it.

use std::fmt;

/// One place that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Finding {
    pub(super) path: String,
    pub(super) line: usize,
    pub(super) reason: String,
    pub(super) remedy: String,
}

impl Finding {
    /// A finding at a line; lines count from 1.
    pub(super) fn new(path: &str, line: usize, reason: impl Into<String>, remedy: impl Into<String>) -> Finding {
        Finding { path: path.to_owned(), line, reason: reason.into(), remedy: remedy.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}\n    → {}", self.path, self.line, self.reason, self.remedy)
    }
}
