//! When what waits for one recipient goes out. One alarm is told at once; a storm is waited out, and told in one
//! dispatch.

use crate::limits::{DIGEST_FROM, DIGEST_QUIET, DIGEST_WAIT_MAX, DISPATCH_BURST_WITHIN, DISPATCH_PACE};
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
    /// What went out to this recipient before.
    pub before: Before,
}

/// What went out to somebody by one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Before {
    /// When the last dispatch was made, if one was.
    pub last_at: Option<Millis>,
    /// When the one was made that is `DISPATCH_BURST` of them back.
    pub burst_at: Option<Millis>,
}

/// When it goes out, all of it in one dispatch.
///
/// Few wait for nothing, unless several dispatches went out lately. Many wait until nothing more comes for a while, or
/// for as long as is borne.
pub fn send_at(waiting: Waiting) -> Millis {
    let Waiting { count, first_at, newest_at, before } = waiting;
    let is_burst = before.burst_at.is_some_and(|at| at + DISPATCH_BURST_WITHIN > first_at);
    let rested = before.last_at.filter(|_| is_burst).map_or(first_at, |at| at + DISPATCH_PACE);
    let latest = first_at + DIGEST_WAIT_MAX;
    let wanted = if count < DIGEST_FROM { first_at } else { newest_at + DIGEST_QUIET };
    wanted.max(rested).min(latest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Span;
    use proptest::prelude::*;

    const AT: Millis = Millis(10_000_000);

    fn waiting(count: u64, newest_s: i64, before: Before) -> Waiting {
        Waiting { count, first_at: AT, newest_at: AT + Span::seconds(newest_s), before }
    }

    fn sent(last_s: i64, burst_s: i64) -> Before {
        Before { last_at: Some(AT + Span::seconds(last_s)), burst_at: Some(AT + Span::seconds(burst_s)) }
    }

    #[test]
    fn a_few_go_out_at_once_and_then_there_are_pauses() {
        assert_eq!(send_at(waiting(1, 0, Before::default())), AT);
        assert_eq!(send_at(waiting(1, 0, Before { burst_at: None, ..sent(-1, 0) })), AT);
        assert_eq!(send_at(waiting(1, 0, sent(-1, -3600))), AT);
        assert_eq!(send_at(waiting(1, 0, sent(-1, -60))), AT + Span::seconds(-1) + DISPATCH_PACE);
    }

    #[test]
    fn a_storm_is_waited_out_but_not_for_ever() {
        assert_eq!(send_at(waiting(DIGEST_FROM, 3, Before::default())), AT + Span::seconds(3) + DIGEST_QUIET);
        assert_eq!(send_at(waiting(100_000, 3600, Before::default())), AT + DIGEST_WAIT_MAX);
    }

    proptest! {
        #[test]
        fn nothing_waits_for_longer_than_is_borne_and_what_was_sent_only_delays(
            count in 1u64..1000, newest in 0i64..10_000, last in -1000i64..100, burst in -1000i64..100,
        ) {
            let plain = send_at(waiting(count, newest, Before::default()));
            let at = send_at(waiting(count, newest, sent(last, burst)));
            prop_assert!(at >= AT && at <= AT + DIGEST_WAIT_MAX && at >= plain);
        }
    }
}
