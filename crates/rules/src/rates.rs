//! Rates: how many requests one caller may send. Each has a bucket that fills steadily up to a brim; a request
//! takes one from it, and where there is none it is told how long until there is.

use crate::time::{Millis, Span};

/// How fast a bucket fills, and how much it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Requests that come to it in a second; with 0 there is no limit.
    pub per_second: u32,
    /// Requests that it holds when it is full: how many may come at once after a pause.
    pub burst: u32,
}

/// What one caller has left. In thousandths of a request, since that is what a millisecond adds per request a
/// second; so nothing is lost to rounding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket {
    thousandths: u64,
    at: Millis,
}

/// One request.
const ONE: u64 = 1000;

impl Rate {
    /// Whether there is a limit at all.
    pub fn is_limited(self) -> bool {
        self.per_second > 0
    }

    fn brim(self) -> u64 {
        u64::from(self.burst.max(1)) * ONE
    }
}

impl Bucket {
    /// The bucket of a caller who was not there lately.
    pub fn full(rate: Rate, now: Millis) -> Bucket {
        Bucket { thousandths: rate.brim(), at: now }
    }

    /// Takes one request from it, or says how long until there is one. If the clock was put back meanwhile, it
    /// fills from now on: nothing is lost with that, and nothing won.
    pub fn take(self, rate: Rate, now: Millis) -> (Bucket, Result<(), Span>) {
        if !rate.is_limited() {
            return (self, Ok(()));
        }
        let seen = Bucket { thousandths: self.level(rate, now), at: now };
        match seen.thousandths.checked_sub(ONE) {
            Some(thousandths) => (Bucket { thousandths, ..seen }, Ok(())),
            None => (seen, Err(seen.wait(rate, now))),
        }
    }

    /// How long until there is a request in it; zero if there is one.
    pub fn wait(self, rate: Rate, now: Millis) -> Span {
        if !rate.is_limited() {
            return Span::ZERO;
        }
        let missing = ONE.saturating_sub(self.level(rate, now));
        Span(i64::try_from(missing.div_ceil(u64::from(rate.per_second))).unwrap_or(i64::MAX))
    }

    /// Whether it is full again, so that nothing is lost with it.
    pub fn is_full(self, rate: Rate, now: Millis) -> bool {
        self.level(rate, now) >= rate.brim()
    }

    fn level(self, rate: Rate, now: Millis) -> u64 {
        let passed = now.since(self.at).0.unsigned_abs();
        self.thousandths.saturating_add(passed.saturating_mul(u64::from(rate.per_second))).min(rate.brim())
    }
}

/// A wait in whole seconds, as `Retry-After` has it: never less than the wait, and never none.
pub fn retry_after_seconds(wait: Span) -> i64 {
    (wait.0.max(1) + 999) / 1000
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RATE: Rate = Rate { per_second: 2, burst: 3 };
    const NOW: Millis = Millis(1_790_000_000_000);

    /// Takes until it is refused.
    fn drained(rate: Rate, now: Millis) -> (Bucket, u32) {
        let (mut bucket, mut taken) = (Bucket::full(rate, now), 0);
        loop {
            let (left, outcome) = bucket.take(rate, now);
            bucket = left;
            match outcome {
                Ok(()) => taken += 1,
                Err(_) => return (bucket, taken),
            }
        }
    }

    #[test]
    fn a_burst_is_let_in_and_then_so_many_a_second() {
        let (bucket, taken) = drained(RATE, NOW);
        assert_eq!((taken, bucket.take(RATE, NOW).1), (3, Err(Span(500))));
        let (bucket, refused) = bucket.take(RATE, NOW + Span(499));
        assert_eq!(refused, Err(Span(1)), "nothing is lost by asking too early");
        let (bucket, taken) = bucket.take(RATE, NOW + Span(500));
        assert_eq!((taken, bucket.take(RATE, NOW + Span(500)).1), (Ok(()), Err(Span(500))));
    }

    #[test]
    fn a_pause_fills_it_to_the_brim_and_not_over_it() {
        let (bucket, _) = drained(RATE, NOW);
        assert!(!bucket.is_full(RATE, NOW + Span(1499)) && bucket.is_full(RATE, NOW + Span(1500)));
        let mut bucket = bucket;
        for outcome in [Ok(()), Ok(()), Ok(()), Err(Span(500))] {
            let (left, taken) = bucket.take(RATE, NOW + Span::days(30));
            bucket = left;
            assert_eq!(taken, outcome);
        }
        assert!(Bucket { at: Millis(i64::MIN), ..bucket }.is_full(RATE, Millis(i64::MAX)));
    }

    #[test]
    fn without_a_rate_there_is_no_limit() {
        let off = Rate { per_second: 0, burst: 0 };
        let bucket = Bucket::full(off, NOW);
        assert!(!off.is_limited() && bucket.wait(off, NOW) == Span::ZERO);
        assert!((0..1000).all(|_| bucket.take(off, NOW) == (bucket, Ok(()))));
    }

    #[test]
    fn a_clock_that_was_put_back_neither_gives_nor_shuts_out() {
        let (bucket, _) = drained(RATE, NOW);
        let earlier = NOW - Span::hours(1);
        let (bucket, refused) = bucket.take(RATE, earlier);
        assert_eq!((refused, bucket.take(RATE, earlier + Span(500)).1), (Err(Span(500)), Ok(())));
    }

    #[test]
    fn seconds_are_rounded_up() {
        for (wait, seconds) in [(0, 1), (1, 1), (1000, 1), (1001, 2), (59_001, 60)] {
            assert_eq!(retry_after_seconds(Span(wait)), seconds, "{wait} ms");
        }
    }

    proptest! {
        /// Whenever callers come, no more are let in than the burst and what has come to it since.
        #[test]
        fn no_more_are_let_in_than_the_rate_allows(
            (per_second, burst) in (1..2000u32, 1..50u32),
            pauses in proptest::collection::vec(0..40i64, 1..300),
        ) {
            let rate = Rate { per_second, burst };
            let (mut bucket, mut now, mut taken) = (Bucket::full(rate, NOW), NOW, 0);
            for pause in pauses {
                now = now + Span(pause);
                let (left, outcome) = bucket.take(rate, now);
                (bucket, taken) = (left, taken + u64::from(outcome.is_ok()));
            }
            prop_assert!(taken <= u64::from(burst) + now.since(NOW).0.unsigned_abs() * u64::from(per_second) / 1000);
        }

        /// Whoever waits as long as they are told is let in, and not a millisecond sooner.
        #[test]
        fn what_is_told_is_true((per_second, burst) in (1..2000u32, 1..50u32), later in 0..5000i64) {
            let rate = Rate { per_second, burst };
            let (bucket, _) = drained(rate, NOW);
            let now = NOW + Span(later);
            if let (bucket, Err(wait)) = bucket.take(rate, now) {
                prop_assert!(wait > Span::ZERO && wait == bucket.wait(rate, now));
                prop_assert!(bucket.take(rate, now + wait).1.is_ok());
                prop_assert!(bucket.take(rate, now + Span(wait.0 - 1)).1.is_err());
            }
        }
    }
}
