//! Whether a node's clock is right, told from what the node says that it shows, and whether the hub's own has jumped.

use serde::{Deserialize, Serialize};

use crate::limits::{CLOCK_JUMP_FROM, CLOCK_RIGHT_WITHIN, CLOCK_SKEWED_FROM};
use crate::time::Span;

/// What is said of a node's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClockState {
    /// It shows the hub's time.
    Ok,
    /// It shows another. Its node works all the same, by the hub's signed time.
    Skewed,
}

impl ClockState {
    /// The word for it in tables and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            ClockState::Ok => "ok",
            ClockState::Skewed => "skewed",
        }
    }

    /// Reads the word back.
    pub fn parse(word: &str) -> Option<ClockState> {
        [ClockState::Ok, ClockState::Skewed].into_iter().find(|state| state.as_str() == word)
    }
}

/// What is said of a clock that is so many milliseconds ahead of the hub's (or behind, if negative), where `said` was
/// said before. Between the two limits, what was said stands.
///
/// `moved_ms` is by how much the hub's own clock was put forward since the hub began (or back, if negative). What is
/// right by the time that the hub would show without that is not called skewed: nothing has happened at the node.
pub fn look(said: Option<ClockState>, skew_ms: i64, moved_ms: i64) -> ClockState {
    match shown(said, skew_ms) {
        ClockState::Skewed if said == Some(ClockState::Skewed) => ClockState::Skewed,
        ClockState::Skewed => shown(said, skew_ms.saturating_add(moved_ms)),
        ClockState::Ok => ClockState::Ok,
    }
}

fn shown(said: Option<ClockState>, skew_ms: i64) -> ClockState {
    match magnitude(skew_ms) {
        off if off >= CLOCK_SKEWED_FROM => ClockState::Skewed,
        off if off <= CLOCK_RIGHT_WITHIN => ClockState::Ok,
        _ => said.unwrap_or(ClockState::Ok),
    }
}

/// Whether the hub's own clock has jumped that was put forward by so many milliseconds, or back, if negative.
pub fn is_jump(by_ms: i64) -> bool {
    magnitude(by_ms) >= CLOCK_JUMP_FROM
}

fn magnitude(ms: i64) -> Span {
    Span(i64::try_from(ms.unsigned_abs()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_skewed_from_one_limit_on_and_right_again_within_the_other() {
        let (far, near) = (CLOCK_SKEWED_FROM.0, CLOCK_RIGHT_WITHIN.0);
        for sign in [1, -1] {
            assert_eq!(look(None, sign * far, 0), ClockState::Skewed);
            assert_eq!(look(Some(ClockState::Ok), sign * (far - 1), 0), ClockState::Ok);
            assert_eq!(look(Some(ClockState::Skewed), sign * (near + 1), 0), ClockState::Skewed);
            assert_eq!(look(Some(ClockState::Skewed), sign * near, 0), ClockState::Ok);
        }
        assert_eq!(look(None, near + 1, 0), ClockState::Ok);
        assert_eq!(look(None, i64::MIN, 0), ClockState::Skewed);
        assert_eq!(ClockState::parse(ClockState::Skewed.as_str()), Some(ClockState::Skewed));
    }

    #[test]
    fn nodes_are_not_called_skewed_because_the_hub_s_clock_was_put_elsewhere() {
        let day = Span::days(1).0;
        for (moved, seen) in [(day, -day), (-day, day)] {
            assert_eq!(look(Some(ClockState::Ok), seen, moved), ClockState::Ok);
            assert_eq!(look(None, seen, moved), ClockState::Ok);
            assert_eq!(look(Some(ClockState::Ok), seen / 2, moved), ClockState::Skewed, "that is the node's own");
            assert_eq!(look(Some(ClockState::Ok), 0, moved), ClockState::Ok, "it follows, or the hub was wrong before");
            assert_eq!(look(Some(ClockState::Skewed), seen, moved), ClockState::Skewed);
        }
    }

    #[test]
    fn what_is_put_elsewhere_by_a_minute_has_jumped() {
        assert!(is_jump(60_000) && is_jump(-60_000) && is_jump(i64::MIN));
        assert!(!is_jump(59_999) && !is_jump(-59_999) && !is_jump(0));
    }
}
