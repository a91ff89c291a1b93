//! Instants and spans, in whole milliseconds.

use std::fmt;
use std::ops::{Add, Sub};

use serde::{Deserialize, Serialize};

/// An instant: milliseconds since 1970-01-01T00:00:00Z. Always an argument, never read here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Millis(pub i64);

/// A span of time in milliseconds, never negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Span(pub i64);

impl Span {
    /// No time at all.
    pub const ZERO: Span = Span(0);

    /// A span of whole seconds.
    pub const fn seconds(seconds: i64) -> Span {
        Span(seconds * 1000)
    }
    /// A span of whole minutes.
    pub const fn minutes(minutes: i64) -> Span {
        Span::seconds(minutes * 60)
    }
    /// A span of whole hours.
    pub const fn hours(hours: i64) -> Span {
        Span::minutes(hours * 60)
    }
    /// A span of whole days.
    pub const fn days(days: i64) -> Span {
        Span::hours(days * 24)
    }
    /// The same span for the standard library's timers.
    pub fn to_std(self) -> std::time::Duration {
        std::time::Duration::from_millis(self.0.max(0).unsigned_abs())
    }
}

impl Millis {
    /// How long after `earlier` this is; zero if it is not after.
    pub fn since(self, earlier: Millis) -> Span {
        Span(self.0.saturating_sub(earlier.0).max(0))
    }
}

impl Add<Span> for Millis {
    type Output = Millis;
    fn add(self, span: Span) -> Millis {
        Millis(self.0.saturating_add(span.0))
    }
}

impl Sub<Span> for Millis {
    type Output = Millis;
    fn sub(self, span: Span) -> Millis {
        Millis(self.0.saturating_sub(span.0))
    }
}

impl Add for Span {
    type Output = Span;
    fn add(self, other: Span) -> Span {
        Span(self.0.saturating_add(other.0))
    }
}

impl Span {
    /// No more than whole days, hours, minutes or seconds, as people say it: what is smaller is left out.
    #[must_use]
    pub fn rounded(self) -> Span {
        let largest = match self {
            long if long >= Span::days(2) => Span::days(1),
            long if long >= Span::hours(1) => Span::hours(1),
            long if long >= Span::minutes(1) => Span::minutes(1),
            _ => Span::seconds(1),
        };
        Span(self.0 / largest.0 * largest.0)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            ms if ms % 86_400_000 == 0 && ms > 86_400_000 => write!(f, "{} days", ms / 86_400_000),
            ms if ms % 3_600_000 == 0 && ms > 0 => write!(f, "{} h", ms / 3_600_000),
            ms if ms % 60_000 == 0 && ms > 0 => write!(f, "{} min", ms / 60_000),
            ms if ms % 1000 == 0 => write!(f, "{} s", ms / 1000),
            ms => write!(f, "{ms} ms"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_said_in_its_largest_whole_unit() {
        let said = |span: Span| span.to_string();
        for (span, exactly, rounded) in [
            (Span::days(30), "30 days", "30 days"),
            (Span::days(1), "24 h", "24 h"),
            (Span(Span::days(3).0 + 1500), "259201500 ms", "3 days"),
            (Span(Span::hours(30).0 + 60_000), "1801 min", "30 h"),
            (Span(284_733), "284733 ms", "4 min"),
            (Span(12_345), "12345 ms", "12 s"),
            (Span(45), "45 ms", "0 s"),
        ] {
            assert_eq!((said(span), said(span.rounded())), (exactly.to_owned(), rounded.to_owned()));
        }
    }
}
