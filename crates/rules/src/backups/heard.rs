//! Since when a hub that judges backups has heard nodes: those that could not report are not late.

use crate::clocks::is_jump;
use crate::limits::BACKUPS_HEARD_FOR;
use crate::time::{Millis, Span};

/// The longest time between two looks at deadlines that is no break: as long as nodes wait at most before they try to
/// report again.
pub const BACKUPS_BREAK_MAX: Span = Span::minutes(5);

/// Since when it has, by its own looks at the deadlines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heard {
    since: Millis,
    reached: Millis,
}

impl Heard {
    /// It has looked at the deadlines, and so reached its database. `hears_since` is since when it hears nodes without
    /// the shortest break; that counts at its first look, and after it has slept, or its database was away.
    #[must_use]
    pub fn reached(before: Option<Heard>, now: Millis, hears_since: Millis) -> Heard {
        let unbroken = before.filter(|before| now.since(before.reached) <= BACKUPS_BREAK_MAX);
        let since = unbroken.map_or(hears_since, |before| before.since.min(hears_since));
        Heard { since: since.min(now), reached: now }
    }

    /// Whether it has heard nodes for long enough to say that a backup was missed.
    pub fn is_enough(self) -> bool {
        self.reached.since(self.since) >= BACKUPS_HEARD_FOR
    }

    /// Whether what is to be judged later may have been said by a clock that was ahead: at the first look, and when the
    /// clock was put back since the last one.
    pub fn may_be_ahead(before: Option<Heard>, now: Millis) -> bool {
        before.is_none_or(|before| now < before.reached && is_jump(now.0 - before.reached.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGAN: Millis = Millis(1_000_000_000);

    fn later(before: Heard, spans: &[Span]) -> Heard {
        spans.iter().fold(before, |heard, span| {
            let now = heard.reached + *span;
            // Each step is a break for whoever ends leases.
            Heard::reached(Some(heard), now, now)
        })
    }

    #[test]
    fn a_hub_judges_when_it_has_heard_for_long_enough() {
        let first = Heard::reached(None, BEGAN, BEGAN);
        assert!(!first.is_enough());
        assert!(!later(first, &[BACKUPS_BREAK_MAX, Span::minutes(4)]).is_enough());
        assert!(later(first, &[BACKUPS_BREAK_MAX, BACKUPS_BREAK_MAX]).is_enough());
        let by_another_loop = Heard::reached(None, BEGAN, BEGAN - BACKUPS_HEARD_FOR);
        assert!(by_another_loop.is_enough(), "it has heard, and leads only since now");
    }

    #[test]
    fn after_a_break_it_has_to_hear_anew() {
        let heard = later(Heard::reached(None, BEGAN, BEGAN), &[BACKUPS_BREAK_MAX; 9]);
        let back = later(heard, &[BACKUPS_BREAK_MAX + Span(1)]);
        assert!(heard.is_enough() && !back.is_enough());
        assert!(later(back, &[BACKUPS_BREAK_MAX, BACKUPS_BREAK_MAX]).is_enough());
    }

    #[test]
    fn a_clock_that_is_put_back_is_seen() {
        let heard = later(Heard::reached(None, BEGAN, BEGAN), &[BACKUPS_BREAK_MAX; 9]);
        let back = Heard::reached(Some(heard), BEGAN - Span::days(9), BEGAN - Span::days(9));
        assert!(!back.is_enough() && later(back, &[BACKUPS_BREAK_MAX; 2]).is_enough());
        assert!(Heard::may_be_ahead(None, BEGAN) && Heard::may_be_ahead(Some(heard), BEGAN));
        assert!(!Heard::may_be_ahead(Some(heard), heard.reached - Span::seconds(1)), "it was set right by a little");
        assert!(!Heard::may_be_ahead(Some(heard), heard.reached + Span::days(9)));
    }
}
