//! The hub's clock, as far as its signatures tell it. What is judged by time, deliveries,
//! `not_after`, certificates, is judged by this one, so that a wrong local clock does no harm.

use std::sync::{Mutex, PoisonError};

use sortie_rules::time::{Millis, Span};

use crate::clock::{Clock, Steady};

/// The hub's clock.
#[derive(Debug)]
pub(crate) struct HubTime {
    local: Clock,
    /// The newest time signed in an earlier life of this agent: it is at least that late.
    floor: Millis,
    /// What the hub signed, and when that came here.
    signed: Mutex<Option<(Millis, Steady)>>,
}

impl HubTime {
    pub(crate) fn new(local: Clock, floor: Millis) -> HubTime {
        HubTime { local, floor, signed: Mutex::new(None) }
    }

    /// The hub's time, as well as it is known: what it signed and the time that has passed since, or
    /// the local clock as long as it signed nothing.
    pub(crate) fn now(&self) -> Millis {
        let signed = *self.signed.lock().unwrap_or_else(PoisonError::into_inner);
        self.estimate(signed)
    }

    /// A verified delivery was signed at this time. That can only show that it is later than thought:
    /// a delivery may have been long under way.
    pub(crate) fn observe(&self, issued_at: Millis) {
        let mut signed = self.signed.lock().unwrap_or_else(PoisonError::into_inner);
        if signed.is_none() || issued_at > self.estimate(*signed) {
            *signed = Some((issued_at, Steady::now()));
        }
    }

    /// The hub has answered a question of ours with this time: so it is. Returns by how much the
    /// local clock is ahead, in milliseconds.
    pub(crate) fn believe(&self, now: Millis) -> i64 {
        *self.signed.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, Steady::now()));
        self.local.now().0.saturating_sub(now.0)
    }

    /// Whether the hub has signed any time in this life of the agent.
    pub(crate) fn is_signed(&self) -> bool {
        self.signed.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    fn estimate(&self, signed: Option<(Millis, Steady)>) -> Millis {
        match signed {
            Some((at, since)) => at + since.elapsed(),
            None => self.local.now().max(self.floor),
        }
    }
}

/// How far two clocks may differ before anyone is told.
pub(crate) const SKEW_WORTH_SAYING: Span = Span::minutes(2);

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400_000;

    #[tokio::test(start_paused = true)]
    async fn signed_time_goes_on_by_itself_and_never_back_by_an_old_delivery() {
        let time = HubTime::new(Clock::new(|| Millis(5)), Millis(0));
        assert_eq!(time.now(), Millis(5));
        time.observe(Millis(DAY));
        tokio::time::advance(Span::seconds(10).to_std()).await;
        assert_eq!(time.now(), Millis(DAY + 10_000));
        time.observe(Millis(DAY + 1));
        assert_eq!(time.now(), Millis(DAY + 10_000));
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_to_our_own_question_may_set_it_back() {
        let time = HubTime::new(Clock::new(|| Millis(9 * DAY)), Millis(0));
        assert_eq!(time.believe(Millis(DAY)), 8 * DAY);
        assert_eq!(time.now(), Millis(DAY));
    }

    #[test]
    fn a_clock_that_begins_at_zero_is_at_least_as_late_as_what_was_signed_before() {
        assert_eq!(HubTime::new(Clock::new(|| Millis(0)), Millis(DAY)).now(), Millis(DAY));
    }
}
