//! Whether a node's clock is right, told from what the node says that it shows.

use serde::{Deserialize, Serialize};

use crate::limits::{CLOCK_RIGHT_WITHIN, CLOCK_SKEWED_FROM};

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
pub fn look(said: Option<ClockState>, skew_ms: i64) -> ClockState {
    let off = i64::try_from(skew_ms.unsigned_abs()).unwrap_or(i64::MAX);
    match off {
        off if off >= CLOCK_SKEWED_FROM.0 => ClockState::Skewed,
        off if off <= CLOCK_RIGHT_WITHIN.0 => ClockState::Ok,
        _ => said.unwrap_or(ClockState::Ok),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_skewed_from_one_limit_on_and_right_again_within_the_other() {
        let (far, near) = (CLOCK_SKEWED_FROM.0, CLOCK_RIGHT_WITHIN.0);
        for sign in [1, -1] {
            assert_eq!(look(None, sign * far), ClockState::Skewed);
            assert_eq!(look(Some(ClockState::Ok), sign * (far - 1)), ClockState::Ok);
            assert_eq!(look(Some(ClockState::Skewed), sign * (near + 1)), ClockState::Skewed);
            assert_eq!(look(Some(ClockState::Skewed), sign * near), ClockState::Ok);
        }
        assert_eq!(look(None, near + 1), ClockState::Ok);
        assert_eq!(look(None, i64::MIN), ClockState::Skewed);
        assert_eq!(ClockState::parse(ClockState::Skewed.as_str()), Some(ClockState::Skewed));
    }
}
