//! Maintenance: times in which nobody wants to be told.

use crate::limits::{MAINTENANCE_AHEAD_MAX, MAINTENANCE_MAX};
use crate::selectors::{Selected, Selector};
use crate::time::{Millis, Span};

/// A time in which alarms are held back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// From when on.
    pub from: Millis,
    /// Until when; that moment is not part of it.
    pub until: Millis,
}

/// Maintenance of some nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Maintenance {
    /// When.
    pub window: Window,
    /// Of which nodes.
    pub selector: Selector,
}

/// When maintenance is asked for; what was not said is absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AskedWindow {
    /// From when on; absent: from now on.
    pub from: Option<Millis>,
    /// Until when.
    pub until: Option<Millis>,
    /// For how long, instead of until when.
    pub lasts: Option<Span>,
}

/// Why there can be no maintenance then: a sentence without its full stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadWindow {
    /// It has no end, or two.
    #[error("say until when it is, or for how long, and not both")]
    NoEnd,
    /// It would be over at once.
    #[error("it must end after now, and after it begins")]
    Empty,
    /// It would last for too long.
    #[error("it lasts for at most {} days", MAINTENANCE_MAX.0 / 86_400_000)]
    TooLong,
    /// It would begin in too long.
    #[error("it begins within {} days", MAINTENANCE_AHEAD_MAX.0 / 86_400_000)]
    TooFar,
}

impl AskedWindow {
    /// The window that was asked for at `now`.
    pub fn window(self, now: Millis) -> Result<Window, BadWindow> {
        let from = self.from.unwrap_or(now);
        if from.0 > now.0.saturating_add(MAINTENANCE_AHEAD_MAX.0) {
            return Err(BadWindow::TooFar);
        }
        let until = match (self.until, self.lasts) {
            (Some(until), None) => until,
            (None, Some(lasts)) => Millis(from.0.saturating_add(lasts.0)),
            (None, None) | (Some(_), Some(_)) => return Err(BadWindow::NoEnd),
        };
        if until <= from || until <= now {
            return Err(BadWindow::Empty);
        }
        if until.0.saturating_sub(from.0) > MAINTENANCE_MAX.0 {
            return Err(BadWindow::TooLong);
        }
        Ok(Window { from, until })
    }
}

/// Until when maintenance covers this moment without a gap, for a node. What is about no node is covered where every
/// node is.
pub fn maintained_until(all: &[Maintenance], node: Option<Selected<'_>>, at: Millis) -> Option<Millis> {
    let is_meant = |selector: &Selector| match node {
        Some(node) => selector.matches(node),
        None => *selector == Selector { all: true, ..Selector::default() },
    };
    let windows: Vec<Window> = all.iter().filter(|one| is_meant(&one.selector)).map(|one| one.window).collect();
    covered_until(&windows, at)
}

/// Until when windows cover this moment without a gap; nothing: none does.
pub fn covered_until(windows: &[Window], at: Millis) -> Option<Millis> {
    let mut windows = windows.to_vec();
    windows.sort_by_key(|window| window.from);
    let mut until = None;
    for window in windows {
        let edge = until.unwrap_or(at);
        if window.from <= edge && window.until > edge {
            until = Some(window.until);
        }
    }
    until
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn window(from: i64, until: i64) -> Window {
        Window { from: Millis(from), until: Millis(until) }
    }

    #[test]
    fn a_moment_is_covered_from_the_first_to_before_the_last() {
        let one = [window(10, 20)];
        assert_eq!(covered_until(&one, Millis(9)), None);
        assert_eq!(covered_until(&one, Millis(10)), Some(Millis(20)));
        assert_eq!(covered_until(&one, Millis(20)), None);
        assert_eq!(covered_until(&[], Millis(0)), None);
    }

    #[test]
    fn windows_that_meet_are_one() {
        let three = [window(30, 40), window(10, 20), window(20, 31), window(50, 60)];
        assert_eq!(covered_until(&three, Millis(15)), Some(Millis(40)));
        assert_eq!(covered_until(&three, Millis(45)), None);
    }

    #[test]
    fn a_node_is_in_maintenance_where_it_is_meant_and_the_rest_where_every_node_is() {
        let labels = std::collections::BTreeMap::new();
        let node = |kind| Some(Selected { name: "box-1", site: None, kind, labels: &labels });
        let of_kind = Selector { kind: Some("guest".into()), ..Selector::default() };
        let everybody = Selector { all: true, ..Selector::default() };
        let all = [
            Maintenance { window: window(10, 20), selector: of_kind },
            Maintenance { window: window(20, 30), selector: everybody },
        ];
        assert_eq!(maintained_until(&all, node("guest"), Millis(15)), Some(Millis(30)));
        assert_eq!(maintained_until(&all, node("host"), Millis(15)), None);
        assert_eq!(maintained_until(&all, node("host"), Millis(25)), Some(Millis(30)));
        assert_eq!(maintained_until(&all, None, Millis(25)), Some(Millis(30)));
        assert_eq!(maintained_until(&all[..1], None, Millis(15)), None);
    }

    #[test]
    fn a_window_has_one_end_and_is_neither_over_nor_too_long_nor_too_far() {
        let now = Millis(1_000_000);
        let asked = |from: Option<i64>, until: Option<i64>, lasts: Option<i64>| {
            let at = |seconds: i64| now + Span::seconds(seconds);
            AskedWindow { from: from.map(at), until: until.map(at), lasts: lasts.map(Span::seconds) }.window(now)
        };
        let from_to = |from, until| Ok(Window { from: now + Span::seconds(from), until: now + Span::seconds(until) });
        assert_eq!(asked(None, Some(60), None), from_to(0, 60));
        assert_eq!(asked(Some(10), None, Some(60)), from_to(10, 70));
        assert_eq!(asked(Some(-60), None, Some(70)), from_to(-60, 10));
        assert_eq!(asked(None, None, None), Err(BadWindow::NoEnd));
        assert_eq!(asked(None, Some(1), Some(1)), Err(BadWindow::NoEnd));
        for (from, until) in [(0, 0), (10, 5), (-60, -1), (-60, 0)] {
            assert_eq!(asked(Some(from), Some(until), None), Err(BadWindow::Empty), "{from} {until}");
        }
        let days = |days: i64| days * 86_400;
        assert_eq!(asked(None, None, Some(days(30))), from_to(0, days(30)));
        assert_eq!(asked(None, None, Some(days(30) + 1)), Err(BadWindow::TooLong));
        assert_eq!(asked(Some(days(365) + 1), None, Some(9)), Err(BadWindow::TooFar));
        let whole = AskedWindow { from: Some(Millis(i64::MIN)), until: Some(Millis(i64::MAX)), lasts: None };
        assert_eq!(whole.window(now), Err(BadWindow::TooLong));
        assert_eq!(
            AskedWindow { lasts: Some(Span(i64::MAX)), ..AskedWindow::default() }.window(now),
            Err(BadWindow::TooLong)
        );
    }

    proptest! {
        #[test]
        fn what_is_covered_is_covered_up_to_that_end(
            windows in proptest::collection::vec((0i64..50, 1i64..20), 0..8), at in 0i64..70,
        ) {
            let windows: Vec<_> = windows.into_iter().map(|(from, length)| window(from, from + length)).collect();
            let covers = |at: i64| windows.iter().any(|one| one.from.0 <= at && at < one.until.0);
            match covered_until(&windows, Millis(at)) {
                Some(until) => {
                    prop_assert!((at..until.0).all(covers));
                    prop_assert!(!covers(until.0));
                }
                None => prop_assert!(!covers(at)),
            }
        }
    }
}
