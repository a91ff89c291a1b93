//! How many refusals of one caller are written down: the first ones, and then one now and then that says how
//! many were left out, so that nobody fills the disk by asking for what they may not have.

use crate::rates::{Bucket, Rate};
use crate::time::Millis;

/// What one caller was refused lately. Written ones are counted against a [`Rate`] whose second is a minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusals {
    bucket: Bucket,
    omitted: u64,
}

/// Refusals written down at once, and then in a minute.
const RATE: Rate = Rate { per_second: 1, burst: 10 };

/// Time goes so much slower for the bucket: its second is a minute.
fn slowed(now: Millis) -> Millis {
    Millis(now.0 / 60)
}

impl Refusals {
    /// Nothing was refused.
    pub fn none(now: Millis) -> Refusals {
        Refusals { bucket: Bucket::full(RATE, slowed(now)), omitted: 0 }
    }

    /// One more is refused: how many were left out before it if it is to be written down, else nothing.
    pub fn one_more(self, now: Millis) -> (Refusals, Option<u64>) {
        let (bucket, room) = self.bucket.take(RATE, slowed(now));
        match room {
            Ok(()) => (Refusals { bucket, omitted: 0 }, Some(self.omitted)),
            Err(_) => (Refusals { bucket, omitted: self.omitted + 1 }, None),
        }
    }

    /// Whether nothing is lost if this is forgotten.
    pub fn is_over(self, now: Millis) -> bool {
        self.omitted == 0 && self.bucket.is_full(RATE, slowed(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_ones_are_written_and_then_one_a_minute_that_counts_the_others() {
        let start = Millis(1_700_000_000_000);
        let (mut refusals, mut written) = (Refusals::none(start), Vec::new());
        for millis in 0..180_000 {
            let (after, what) = refusals.one_more(Millis(start.0 + millis));
            refusals = after;
            written.extend(what);
        }
        assert_eq!(written.len(), 10 + 3);
        assert_eq!(written[..10], [0; 10]);
        assert_eq!(written.iter().sum::<u64>() + refusals.omitted + written.len() as u64, 180_000);
        assert!(!refusals.is_over(Millis(start.0 + 3_600_000)), "some were left out and not said yet");
        let (refusals, what) = refusals.one_more(Millis(start.0 + 3_600_000));
        assert!(what.is_some_and(|omitted| omitted > 0) && refusals.is_over(Millis(start.0 + 7_200_000)));
    }
}
