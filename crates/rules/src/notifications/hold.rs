//! Why somebody is not told.

use crate::time::{Millis, Span};

/// What this recipient was told of the same rule, node and subject before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// When.
    pub at: Millis,
}

/// What has become of the notification that an alarm began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beginning {
    /// There was none: whoever is told now was not told then.
    Untold,
    /// It is held back.
    HeldBack,
    /// It waits, and nothing of it has gone out.
    Waits,
    /// It is on its way, or has come to its end.
    OnItsWay,
}

/// Why a notification is held back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// The same was told within the cool-down.
    CoolDown {
        /// When it may be told again, if it still stands.
        until: Millis,
    },
    /// Maintenance: it is told when that ends, if it still stands.
    Maintenance {
        /// When that is.
        until: Millis,
    },
    /// Nobody was told that it began, so nobody is told that it is over.
    NeverTold,
    /// It was over before anybody could be told that it began.
    OverBeforeTold,
}

impl Held {
    /// The bare word for [`Held::Maintenance`].
    pub const MAINTENANCE: &str = "maintenance";

    /// The bare word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Held::CoolDown { .. } => "cool_down",
            Held::Maintenance { .. } => Held::MAINTENANCE,
            Held::NeverTold => "never_told",
            Held::OverBeforeTold => "over_before_told",
        }
    }

    /// When it is told after all, if the alarm still stands.
    pub const fn until(self) -> Option<Millis> {
        match self {
            Held::CoolDown { until } | Held::Maintenance { until } => Some(until),
            Held::NeverTold | Held::OverBeforeTold => None,
        }
    }
}

/// Whether it is held back that an alarm began, and why. `before` is when a beginning of the same was last told to the
/// same recipient by the same way, and `maintenance` until when there is any.
pub fn held_at_beginning(
    before: Option<Told>,
    cool_down: Span,
    maintenance: Option<Millis>,
    now: Millis,
) -> Option<Held> {
    // The cool-down first: when it is over, it is asked after maintenance again.
    let told_again = before.map(|before| before.at + cool_down).filter(|until| *until > now);
    told_again
        .map(|until| Held::CoolDown { until })
        .or(maintenance.filter(|until| *until > now).map(|until| Held::Maintenance { until }))
}

/// Whether it is held back that an alarm is over, and why.
///
/// That something is over is told to whom its beginning was told, within the cool-down and in maintenance too: silence
/// would leave them searching. A beginning that has not gone out yet is held back with its end.
pub fn held_at_end(beginning: Beginning) -> Option<Held> {
    match beginning {
        Beginning::Untold | Beginning::HeldBack => Some(Held::NeverTold),
        Beginning::Waits => Some(Held::OverBeforeTold),
        Beginning::OnItsWay => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: Millis = Millis(10_000_000);
    const HOUR: Span = Span::hours(1);

    fn told(minutes_ago: i64) -> Option<Told> {
        Some(Told { at: NOW - Span::minutes(minutes_ago) })
    }

    #[test]
    fn the_same_is_told_once_within_the_cool_down() {
        assert_eq!(held_at_beginning(None, HOUR, None, NOW), None);
        let until = NOW + Span::minutes(1);
        assert_eq!(held_at_beginning(told(59), HOUR, None, NOW), Some(Held::CoolDown { until }));
        assert_eq!(held_at_beginning(told(60), HOUR, None, NOW), None);
        assert_eq!(held_at_beginning(told(0), Span::ZERO, None, NOW), None);
    }

    #[test]
    fn in_maintenance_nobody_is_told_that_something_begins() {
        let until = NOW + HOUR;
        assert_eq!(held_at_beginning(None, HOUR, Some(until), NOW), Some(Held::Maintenance { until }));
        assert_eq!(held_at_beginning(None, HOUR, Some(NOW), NOW), None);
        let cool_down = Held::CoolDown { until: NOW + Span::minutes(59) };
        assert_eq!(
            held_at_beginning(told(1), HOUR, Some(NOW + Span::minutes(5)), NOW),
            Some(cool_down),
            "or it is lost"
        );
        assert_eq!((Held::Maintenance { until }.until(), Held::NeverTold.until()), (Some(until), None));
    }

    #[test]
    fn that_it_is_over_is_told_to_whom_its_beginning_was() {
        assert_eq!(held_at_end(Beginning::OnItsWay), None);
        assert_eq!(held_at_end(Beginning::Waits), Some(Held::OverBeforeTold));
        for untold in [Beginning::Untold, Beginning::HeldBack] {
            assert_eq!(held_at_end(untold), Some(Held::NeverTold));
        }
    }

    /// What happens to one thing that can be wrong, as one recipient has it.
    #[derive(Debug, Clone, Copy)]
    enum Happens {
        Changes,
        GoesOut,
        Time(i64),
    }

    fn happens() -> impl Strategy<Value = Happens> {
        prop_oneof![
            3 => Just(Happens::Changes),
            2 => Just(Happens::GoesOut),
            2 => (1i64..120).prop_map(Happens::Time),
        ]
    }

    proptest! {
        /// However something flaps: beginnings and ends are told in turn, no beginning within the cool-down of the one
        /// before, and what stands for good is told.
        #[test]
        fn what_flaps_is_told_in_turn_and_seldom(all in proptest::collection::vec(happens(), 0..200)) {
            let (mut now, mut stands, mut last) = (NOW, false, None::<Told>);
            let (mut beginning, mut due) = (Beginning::Untold, None::<Millis>);
            let mut end_waits = false;
            let mut said: Vec<(bool, Millis)> = Vec::new();
            for one in all.into_iter().chain([Happens::Time(61), Happens::GoesOut]) {
                match one {
                    Happens::Changes if !stands => {
                        stands = true;
                        let held = held_at_beginning(last, HOUR, None, now);
                        beginning = if held.is_some() { Beginning::HeldBack } else { Beginning::Waits };
                        due = held.and_then(Held::until);
                    }
                    Happens::Changes => {
                        stands = false;
                        end_waits |= held_at_end(beginning).is_none();
                        (beginning, due) = (Beginning::Untold, None);
                    }
                    Happens::GoesOut => {
                        if end_waits {
                            said.push((false, now));
                            end_waits = false;
                        }
                        if beginning == Beginning::Waits {
                            said.push((true, now));
                            last = Some(Told { at: now });
                            beginning = Beginning::OnItsWay;
                        }
                    }
                    Happens::Time(minutes) => {
                        now = now + Span::minutes(minutes);
                        if due.is_some_and(|due| due <= now) {
                            (beginning, due) = (Beginning::Waits, None);
                        }
                    }
                }
            }
            prop_assert!(said.iter().enumerate().all(|(at, (opened, _))| *opened == (at % 2 == 0)), "{said:?}");
            let begun: Vec<Millis> = said.iter().filter(|(opened, _)| *opened).map(|(_, at)| *at).collect();
            prop_assert!(begun.windows(2).all(|two| two[1].since(two[0]) >= HOUR), "{begun:?}");
            prop_assert_eq!(said.last().is_some_and(|(opened, _)| *opened), stands);
        }
    }
}
