//! Passwords: what makes one good enough, and how whoever guesses is slowed.

use crate::time::{Millis, Span};

/// Shortest password, in characters. Length is what counts against guessing; nothing is asked of its letters.
pub const CHARACTERS_MIN: usize = 12;
/// Longest password, in bytes: hashing a longer one would be work for whoever sends it.
pub const BYTES_MAX: usize = 256;
/// After this long without a failure, earlier ones are forgotten.
const FORGOTTEN_AFTER: Span = Span::hours(1);
/// The longest that a next try has to wait. Not longer: whoever knows a name could shut its owner out.
const WAIT_MAX: Span = Span::minutes(1);

/// The password is not good enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadPassword {
    /// It is too short.
    #[error("a password has at least {CHARACTERS_MIN} characters; a few words in a row are easy to keep in mind")]
    Short,
    /// It is too long.
    #[error("a password has at most {BYTES_MAX} bytes")]
    Long,
    /// It holds the name, which is the first that is tried.
    #[error("the password must not hold the account's name")]
    HoldsName,
    /// It is one letter again and again.
    #[error("the password repeats too few letters; a few words in a row are easy to keep in mind")]
    Plain,
}

/// Whether a password may be taken for an account of this name.
pub fn check_password(password: &str, name: &str) -> Result<(), BadPassword> {
    let letters: std::collections::BTreeSet<char> = password.chars().collect();
    if password.len() > BYTES_MAX {
        Err(BadPassword::Long)
    } else if password.chars().count() < CHARACTERS_MIN {
        Err(BadPassword::Short)
    } else if password.to_lowercase().contains(&name.to_lowercase()) {
        Err(BadPassword::HoldsName)
    } else if letters.len() < 5 {
        Err(BadPassword::Plain)
    } else {
        Ok(())
    }
}

/// Failed tries of one account, or from one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Failures {
    count: u32,
    last_at: Millis,
}

impl Failures {
    /// One more.
    #[must_use]
    pub fn and_one(self, now: Millis) -> Failures {
        let before = if self.is_forgotten(now) { 0 } else { self.count };
        Failures { count: before.saturating_add(1), last_at: now }
    }

    /// One less: the try has succeeded after all.
    #[must_use]
    pub fn less_one(self) -> Failures {
        Failures { count: self.count.saturating_sub(1), ..self }
    }

    /// How long the next try has to wait yet, if `free` failures cost nothing: twice as long with each failure.
    pub fn wait(self, free: u32, now: Millis) -> Option<Span> {
        let over = self.count.checked_sub(free).filter(|_| !self.is_forgotten(now))?;
        let pause = Span(1000_i64.saturating_mul(1 << over.min(16))).min(WAIT_MAX);
        let left = Span((self.last_at + pause).0 - now.0);
        (left.0 > 0).then_some(left.min(WAIT_MAX))
    }

    /// Whether nothing is left to remember.
    pub fn is_forgotten(self, now: Millis) -> bool {
        now.since(self.last_at) >= FORGOTTEN_AFTER
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = Millis(1_800_000_000_000);

    fn after(failures: u32) -> Failures {
        (0..failures).fold(Failures::default(), |all, _| all.and_one(NOW))
    }

    #[test]
    fn a_password_is_long_and_not_the_name() {
        assert_eq!(check_password("correct horse battery", "anna"), Ok(()));
        assert_eq!(check_password("short", "anna"), Err(BadPassword::Short));
        assert_eq!(check_password(&"long".repeat(100), "anna"), Err(BadPassword::Long));
        assert_eq!(check_password("This is Anna's own", "anna"), Err(BadPassword::HoldsName));
        assert_eq!(check_password("aaaaaaaaaaaaaaa", "anna"), Err(BadPassword::Plain));
        assert_eq!(check_password("őszi szél fúj", "anna"), Ok(()), "characters count, not bytes");
    }

    #[test]
    fn the_first_failures_cost_nothing_and_then_each_doubles_the_wait() {
        assert_eq!(after(4).wait(5, NOW), None);
        assert_eq!(after(5).wait(5, NOW), Some(Span::seconds(1)));
        assert_eq!(after(6).wait(5, NOW), Some(Span::seconds(2)));
        assert_eq!(after(8).wait(5, NOW), Some(Span::seconds(8)));
        assert_eq!(after(1_000).wait(5, NOW), Some(WAIT_MAX));
    }

    #[test]
    fn a_wait_ends_and_failures_are_forgotten() {
        let failures = after(6);
        assert_eq!(failures.wait(5, NOW + Span::seconds(1)), Some(Span::seconds(1)));
        assert_eq!(failures.wait(5, NOW + Span::seconds(2)), None);
        assert_eq!(failures.and_one(NOW + Span::minutes(59)).wait(5, NOW + Span::minutes(59)), Some(Span::seconds(4)));
        assert_eq!(failures.and_one(NOW + Span::hours(1)).wait(5, NOW + Span::hours(1)), None, "the first again");
    }

    #[test]
    fn a_clock_that_was_put_back_makes_nobody_wait_longer() {
        assert_eq!(after(20).wait(5, Millis(NOW.0 - 86_400_000)), Some(WAIT_MAX));
    }
}
