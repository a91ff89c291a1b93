//! Why somebody is not told.

use crate::time::{Millis, Span};

/// What this recipient was told of the same rule, node and subject before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// When.
    pub at: Millis,
}

/// Why a notification is held back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// The same was told within the cool-down.
    CoolDown {
        /// When it may be told again.
        until: Millis,
    },
    /// Maintenance: it is told when that ends, if it still stands.
    Maintenance {
        /// When that is.
        until: Millis,
    },
    /// Nobody was told that it began, so nobody is told that it is over.
    NeverTold,
}

impl Held {
    /// The bare word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Held::CoolDown { .. } => "cool_down",
            Held::Maintenance { .. } => "maintenance",
            Held::NeverTold => "never_told",
        }
    }
}

/// Whether a notification is held back, and why. `opened` tells that of an alarm which stands from that of one that is
/// over; `before` is the last that was sent of the same to the same recipient, and `maintenance` until when there is
/// any.
///
/// That something is over is told to whom its beginning was told, within the cool-down and in maintenance too: silence
/// would leave them searching.
pub fn held(
    opened: bool,
    before: Option<Told>,
    cool_down: Span,
    maintenance: Option<Millis>,
    now: Millis,
) -> Option<Held> {
    if !opened {
        return before.is_none().then_some(Held::NeverTold);
    }
    if let Some(until) = maintenance.filter(|until| *until > now) {
        return Some(Held::Maintenance { until });
    }
    let until = before?.at + cool_down;
    (until > now).then_some(Held::CoolDown { until })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = Millis(10_000_000);
    const HOUR: Span = Span::hours(1);

    fn told(minutes_ago: i64) -> Option<Told> {
        Some(Told { at: NOW - Span::minutes(minutes_ago) })
    }

    #[test]
    fn the_same_is_told_once_within_the_cool_down() {
        assert_eq!(held(true, None, HOUR, None, NOW), None);
        let until = NOW + Span::minutes(1);
        assert_eq!(held(true, told(59), HOUR, None, NOW), Some(Held::CoolDown { until }));
        assert_eq!(held(true, told(60), HOUR, None, NOW), None);
        assert_eq!(held(true, told(0), Span::ZERO, None, NOW), None);
    }

    #[test]
    fn in_maintenance_nobody_is_told_that_something_begins() {
        let until = NOW + HOUR;
        assert_eq!(held(true, None, HOUR, Some(until), NOW), Some(Held::Maintenance { until }));
        assert_eq!(held(true, None, HOUR, Some(NOW), NOW), None);
    }

    #[test]
    fn that_it_is_over_is_told_to_whom_its_beginning_was() {
        assert_eq!(held(false, told(1), HOUR, Some(NOW + HOUR), NOW), None);
        assert_eq!(held(false, None, HOUR, None, NOW), Some(Held::NeverTold));
    }
}
