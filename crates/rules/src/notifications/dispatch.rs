//! The life of a dispatch: what goes out at once to one recipient on one channel. It is tried until the other side has
//! it, or until trying on would help nobody.

use crate::backoff::Backoff;
use crate::limits::{DISPATCH_HELD, DISPATCH_LIFE};
use crate::time::{Millis, Span};

/// How the waits between tries grow.
const BACKOFF: Backoff = Backoff { first: Span::seconds(5), cap: Span::minutes(30) };

/// A dispatch and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dispatch {
    /// Where it stands.
    pub state: DispatchState,
    /// How often it was begun.
    pub tries: u32,
    /// Since when it is tried.
    pub since: Millis,
}

/// Where a dispatch stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DispatchState {
    /// It waits, or is under way: not to be begun before this.
    Waiting {
        /// The earliest beginning.
        next_at: Millis,
    },
    /// The other side has it.
    Sent,
    /// The other side will never take it.
    Failed,
    /// It was tried for long enough.
    GivenUp,
}

/// How a try went that did not go well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// Another try may go better.
    ForNow,
    /// No other try would.
    ForGood,
}

impl DispatchState {
    /// The bare word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            DispatchState::Waiting { .. } => "waiting",
            DispatchState::Sent => "sent",
            DispatchState::Failed => "failed",
            DispatchState::GivenUp => "given_up",
        }
    }

    /// Whether nothing more comes of it.
    pub const fn is_over(self) -> bool {
        !matches!(self, DispatchState::Waiting { .. })
    }
}

/// A dispatch that is written down now.
pub fn planned(now: Millis) -> Dispatch {
    Dispatch { state: DispatchState::Waiting { next_at: now }, tries: 0, since: now }
}

/// Begins a try. Should the hub end in the middle of it, it is begun anew after a while, under the same identity.
pub fn begin(dispatch: Dispatch, now: Millis) -> Option<Dispatch> {
    match dispatch.state {
        DispatchState::Waiting { next_at } if next_at <= now => {
            let state = DispatchState::Waiting { next_at: now + DISPATCH_HELD };
            Some(Dispatch { state, tries: dispatch.tries + 1, ..dispatch })
        }
        _ => None,
    }
}

/// Ends a try. `draw` is uniform in `0..=u32::MAX`.
pub fn end(dispatch: Dispatch, tried: Result<(), Failure>, now: Millis, draw: u32) -> Dispatch {
    let state = match tried {
        Ok(()) => DispatchState::Sent,
        Err(Failure::ForGood) => DispatchState::Failed,
        Err(Failure::ForNow) => {
            let next_at = now + BACKOFF.wait(dispatch.tries, draw);
            let is_late = next_at > dispatch.since + DISPATCH_LIFE;
            if is_late { DispatchState::GivenUp } else { DispatchState::Waiting { next_at } }
        }
    };
    Dispatch { state, ..dispatch }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: Millis = Millis(1_000_000);

    #[test]
    fn a_dispatch_is_begun_when_it_is_due_and_held_while_it_is_under_way() {
        let begun = begin(planned(NOW), NOW).unwrap();
        assert_eq!((begun.tries, begun.state), (1, DispatchState::Waiting { next_at: NOW + DISPATCH_HELD }));
        assert_eq!(begin(begun, NOW + DISPATCH_HELD - Span(1)), None);
        assert_eq!(begin(begun, NOW + DISPATCH_HELD).unwrap().tries, 2);
        for (tried, state) in [(Ok(()), DispatchState::Sent), (Err(Failure::ForGood), DispatchState::Failed)] {
            let over = end(begun, tried, NOW, 0);
            assert!(over.state == state && state.is_over());
            assert_eq!(begin(over, NOW + Span::days(9)), None);
        }
    }

    proptest! {
        #[test]
        fn a_mail_server_that_is_away_for_a_day_gets_it_and_tries_end_by_themselves(
            draws in proptest::collection::vec(any::<u32>(), 2000),
        ) {
            let (mut dispatch, mut now) = (planned(NOW), NOW);
            for draw in draws {
                let DispatchState::Waiting { next_at } = dispatch.state else { break };
                prop_assert!(next_at <= NOW + DISPATCH_LIFE);
                now = now.max(next_at);
                dispatch = end(begin(dispatch, now).unwrap(), Err(Failure::ForNow), now, draw);
                prop_assert!(dispatch.state != DispatchState::GivenUp || now > NOW + Span::days(2));
            }
            prop_assert_eq!(dispatch.state, DispatchState::GivenUp);
        }
    }
}
