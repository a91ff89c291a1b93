//! When what waits for one recipient goes out. One alarm is told at once; a storm is waited out, and told in one dispatch.

use crate::limits::{DIGEST_FROM, DIGEST_QUIET, DIGEST_WAIT_MAX, DISPATCH_PACE};
use crate::time::Millis;

/// What waits for one recipient on one channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// How many notifications wait.
    pub count: u64,
    /// Since when the first of them does.
    pub first_at: Millis,
    /// Since when the newest of them does.
    pub newest_at: Millis,
    /// When the last dispatch went to this recipient, if one did.
    pub last_sent_at: Option<Millis>,
}

/// When it goes out, all of it in one dispatch.
///
/// Few wait for nothing, unless a dispatch went out a moment ago. Many wait until nothing more comes for a while, or for
/// as long as is borne.
pub fn send_at(waiting: Waiting) -> Millis {
    let rested = waiting.last_sent_at.map_or(waiting.first_at, |at| at + DISPATCH_PACE);
    let latest = waiting.first_at + DIGEST_WAIT_MAX;
    let wanted = if waiting.count < DIGEST_FROM { waiting.first_at } else { waiting.newest_at + DIGEST_QUIET };
    wanted.max(rested).min(latest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Span;
    use proptest::prelude::*;

    const AT: Millis = Millis(1_000_000);

    fn waiting(count: u64, newest_s: i64, last_sent_s: Option<i64>) -> Waiting {
        let last_sent_at = last_sent_s.map(|seconds| AT + Span::seconds(seconds));
        Waiting { count, first_at: AT, newest_at: AT + Span::seconds(newest_s), last_sent_at }
    }

    #[test]
    fn the_first_goes_out_at_once_and_the_next_after_a_pause() {
        assert_eq!(send_at(waiting(1, 0, None)), AT);
        assert_eq!(send_at(waiting(1, 0, Some(-3600))), AT);
        let just = Some(-1);
        assert_eq!(send_at(waiting(1, 0, just)), AT + Span::seconds(-1) + DISPATCH_PACE);
    }

    #[test]
    fn a_storm_is_waited_out_but_not_for_ever() {
        assert_eq!(send_at(waiting(DIGEST_FROM, 3, None)), AT + Span::seconds(3) + DIGEST_QUIET);
        assert_eq!(send_at(waiting(100_000, 3600, None)), AT + DIGEST_WAIT_MAX);
    }

    proptest! {
        #[test]
        fn nothing_waits_for_longer_than_is_borne(
            count in 1u64..1000, newest in 0i64..10_000, last in proptest::option::of(-100i64..100),
        ) {
            let at = send_at(waiting(count, newest, last));
            prop_assert!(at >= AT && at <= AT + DIGEST_WAIT_MAX);
        }
    }
}
