//! How a target fares on one day.

use super::deadline::Expected;
use crate::time::{Millis, Span};

/// Days of several time zones that begin within this are one day: what was missed on it is told once. From one day of a
/// zone to its next it is more, whatever its clocks do.
pub const SAME_DAY_WITHIN: Span = Span::hours(12);
/// What was missed on a day that begins so long after the one that is judged was said by a clock that was ahead. Of
/// the days that are judged at one time, by whatever deadline, none is so far from another.
pub const AHEAD_FROM: Span = Span::days(3);

/// How a target fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lateness {
    /// It was done today.
    Done,
    /// There is time yet.
    Waited,
    /// It was not done in time.
    Missed,
}

/// How a target fares whose newest good backup is of `done_at`. `known_since` is when it was first expected: nobody is
/// late on a day on which that came after the deadline.
///
/// What the box says that it did tomorrow (its clock is ahead) counts for today.
pub fn lateness(day: Expected, done_at: Option<Millis>, known_since: Millis, now: Millis) -> Lateness {
    if done_at.is_some_and(|done_at| done_at >= day.day_began) {
        Lateness::Done
    } else if now < day.due_at || known_since > day.due_at {
        Lateness::Waited
    } else {
        Lateness::Missed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Expected =
        Expected { day: jiff::civil::Date::constant(2026, 3, 29), day_began: Millis(1000), due_at: Millis(1600) };

    #[test]
    fn what_was_not_done_since_the_day_began_is_missed_from_the_deadline_on() {
        let at = |done_at: Option<i64>, now: i64| lateness(DAY, done_at.map(Millis), Millis(0), Millis(now));
        assert_eq!(at(None, 1599), Lateness::Waited);
        assert_eq!(at(None, 1600), Lateness::Missed);
        assert_eq!(at(Some(999), 1600), Lateness::Missed, "yesterday's");
        assert_eq!(at(Some(1000), 1600), Lateness::Done);
        assert_eq!(at(Some(1700), 1650), Lateness::Done, "a clock that is ahead");
        assert_eq!(at(Some(1650), 1700), Lateness::Done, "late, but done");
    }

    #[test]
    fn who_was_first_expected_after_the_deadline_is_not_late_today() {
        assert_eq!(lateness(DAY, None, Millis(1601), Millis(1700)), Lateness::Waited);
        assert_eq!(lateness(DAY, None, Millis(1600), Millis(1700)), Lateness::Missed);
    }
}
