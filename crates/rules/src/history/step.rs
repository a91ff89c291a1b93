//! How long a stretch is. Hours and days are those of UTC.

use crate::limits::{HISTORY_DAYS_KEPT, HISTORY_HOURS_KEPT};
use crate::time::{Millis, Span};

/// How long a stretch is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// An hour.
    Hour,
    /// A day.
    Day,
}

impl Step {
    /// Both.
    pub const ALL: [Step; 2] = [Step::Hour, Step::Day];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Step::Hour => "hour",
            Step::Day => "day",
        }
    }

    /// Reads the word back.
    pub fn parse(word: &str) -> Option<Step> {
        Step::ALL.into_iter().find(|step| step.as_str() == word)
    }

    /// How long.
    pub const fn length(self) -> Span {
        match self {
            Step::Hour => Span::hours(1),
            Step::Day => Span::days(1),
        }
    }

    /// For how long stretches are kept.
    pub const fn kept(self) -> Span {
        match self {
            Step::Hour => HISTORY_HOURS_KEPT,
            Step::Day => HISTORY_DAYS_KEPT,
        }
    }

    /// When the stretch of a moment begins.
    pub const fn start_of(self, at: Millis) -> Millis {
        Millis(at.0 - at.0.rem_euclid(self.length().0))
    }
}
