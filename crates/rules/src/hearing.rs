//! How far a hub knows what agents have said of what they hold. A lease ends where its agent was silent, and not
//! where nobody could hear it, or where what it said is not written down yet.

use crate::limits::{HEARING_GAP_MAX, RENEWALS_WRITTEN_WITHIN};
use crate::time::Millis;

/// Since when a hub hears agents without a break. To hear them it has to run, and to reach its database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hearing {
    since: Millis,
    reached: Millis,
}

impl Hearing {
    /// The hub begins to hear.
    pub fn begin(now: Millis) -> Hearing {
        Hearing { since: now, reached: now }
    }

    /// The database was reached. After a break the hub hears from now on: what agents could not say meanwhile is not
    /// their silence.
    #[must_use]
    pub fn reached(self, now: Millis) -> Hearing {
        if now.since(self.reached) > HEARING_GAP_MAX {
            return Hearing::begin(now);
        }
        Hearing { since: self.since.min(now), reached: now }
    }

    /// Since when it hears.
    pub fn since(self) -> Millis {
        self.since
    }
}

/// Up to when all that agents have said stands in the database. With other hubs on it that is a moment ago: they may
/// have something in memory that they have not written yet.
pub fn known_until(now: Millis, beside_others: bool) -> Millis {
    if beside_others { now - RENEWALS_WRITTEN_WITHIN } else { now }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::LEASE_MIN;
    use crate::time::Span;

    const NOW: Millis = Millis(1_000_000);

    #[test]
    fn who_reaches_the_database_again_and_again_hears_since_the_beginning() {
        let later = (1..100).fold(Hearing::begin(NOW), |hearing, turn| hearing.reached(NOW + Span::seconds(turn)));
        assert_eq!(later.since(), NOW);
    }

    #[test]
    fn a_break_lets_hearing_begin_anew_however_it_came() {
        let back = NOW + HEARING_GAP_MAX + Span(1);
        assert_eq!(Hearing::begin(NOW).reached(back).since(), back);
        assert_eq!(Hearing::begin(NOW).reached(NOW + HEARING_GAP_MAX).since(), NOW, "that is no break");
    }

    #[test]
    fn a_clock_that_is_put_back_is_no_break_and_one_that_leaps_forward_ends_no_lease() {
        let back = NOW - Span::hours(1);
        assert_eq!(Hearing::begin(NOW).reached(back).since(), back, "it does not hear from an hour ahead on");
        let ahead = NOW + Span::hours(1);
        assert_eq!(Hearing::begin(NOW).reached(ahead).since(), ahead);
    }

    #[test]
    fn beside_others_what_was_said_is_known_a_moment_later_which_the_shortest_lease_bears() {
        assert_eq!(known_until(NOW, false), NOW);
        assert_eq!(known_until(NOW, true), NOW - RENEWALS_WRITTEN_WITHIN);
        assert!(RENEWALS_WRITTEN_WITHIN < LEASE_MIN && HEARING_GAP_MAX < LEASE_MIN);
    }
}
