//! Maintenance: times in which nobody wants to be told.

use crate::time::Millis;

/// A time in which alarms are held back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// From when on.
    pub from: Millis,
    /// Until when; that moment is not part of it.
    pub until: Millis,
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
