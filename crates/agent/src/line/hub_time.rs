//! The hub's clock, as far as its signatures tell it. What is judged by time, deliveries,
//! `not_after`, certificates, is judged by this one, so that a wrong local clock does no harm.

use std::sync::{Mutex, MutexGuard, PoisonError};

use sortie_rules::time::{Millis, Span};

use crate::clock::{Clock, Steady};

/// The hub's clock.
#[derive(Debug)]
pub(crate) struct HubTime {
    local: Clock,
    signed: Mutex<Signed>,
}

/// What the hub has signed.
#[derive(Debug, Clone, Copy)]
struct Signed {
    /// In this life of the agent: what the hub signed, and when that came here.
    newest: Option<(Millis, Steady)>,
    /// The latest time that it has signed in any life, and since when it is at least that late.
    latest: (Millis, Steady),
    /// The same as it was signed.
    highest: Millis,
    /// What of that is on disk.
    kept: Millis,
}

/// How far what is on disk may lag behind what the hub has signed.
const KEPT_BEHIND_MAX: Span = Span::hours(1);

impl HubTime {
    /// `floor` is the latest time that was signed in an earlier life of this agent: it is at least that late.
    pub(crate) fn new(local: Clock, floor: Millis) -> HubTime {
        let signed = Signed { newest: None, latest: (floor, Steady::now()), highest: floor, kept: floor };
        HubTime { local, signed: Mutex::new(signed) }
    }

    /// The hub's time, as well as it is known: what it signed and the time that has passed since, or
    /// the local clock as long as it signed nothing.
    pub(crate) fn now(&self) -> Millis {
        self.estimate(&self.signed())
    }

    /// The latest time that the hub has ever signed, and what has passed since. It never goes back, whatever
    /// the hub says.
    pub(crate) fn latest(&self) -> Millis {
        let (at, since) = self.signed().latest;
        at + since.elapsed()
    }

    /// The latest time that the hub has ever signed, as it signed it.
    pub(crate) fn highest(&self) -> Millis {
        self.signed().highest
    }

    /// The latest time that the hub has signed, if it is time to write it down.
    pub(crate) fn to_be_kept(&self) -> Option<Millis> {
        let Signed { highest, kept, .. } = *self.signed();
        (highest > kept + KEPT_BEHIND_MAX).then_some(highest)
    }

    /// This is on disk.
    pub(crate) fn note_kept(&self, at: Millis) {
        let mut signed = self.signed();
        signed.kept = signed.kept.max(at);
    }

    /// A verified delivery was signed at this time. That can only show that it is later than thought:
    /// a delivery may have been long under way.
    pub(crate) fn observe(&self, issued_at: Millis) {
        let mut signed = self.signed();
        if signed.newest.is_none() || issued_at > self.estimate(&signed) {
            signed.newest = Some((issued_at, Steady::now()));
        }
        signed.never_earlier(issued_at);
    }

    /// The hub has answered a question of ours with this time: so it is. Returns by how much the
    /// local clock is ahead, in milliseconds.
    pub(crate) fn believe(&self, now: Millis) -> i64 {
        let mut signed = self.signed();
        signed.newest = Some((now, Steady::now()));
        signed.never_earlier(now);
        self.local.now().0.saturating_sub(now.0)
    }

    /// Whether the hub has signed any time in this life of the agent.
    pub(crate) fn is_signed(&self) -> bool {
        self.signed().newest.is_some()
    }

    fn signed(&self) -> MutexGuard<'_, Signed> {
        self.signed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn estimate(&self, signed: &Signed) -> Millis {
        match signed.newest {
            Some((at, since)) => at + since.elapsed(),
            None => self.local.now().max(signed.latest.0),
        }
    }
}

impl Signed {
    fn never_earlier(&mut self, at: Millis) {
        self.highest = self.highest.max(at);
        if at > self.latest.0 + self.latest.1.elapsed() {
            self.latest = (at, Steady::now());
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
    async fn an_answer_to_our_own_question_may_set_it_back_and_not_what_was_signed_latest() {
        let time = HubTime::new(Clock::new(|| Millis(9 * DAY)), Millis(0));
        time.believe(Millis(2 * DAY));
        assert_eq!(time.believe(Millis(DAY)), 8 * DAY);
        assert_eq!(time.now(), Millis(DAY));
        tokio::time::advance(Span::seconds(10).to_std()).await;
        assert_eq!((time.latest(), time.highest()), (Millis(2 * DAY + 10_000), Millis(2 * DAY)));
    }

    #[test]
    fn what_was_signed_is_written_down_once_an_hour() {
        let time = HubTime::new(Clock::new(|| Millis(0)), Millis(DAY));
        time.observe(Millis(DAY) + KEPT_BEHIND_MAX);
        assert_eq!(time.to_be_kept(), None);
        time.observe(Millis(2 * DAY));
        assert_eq!(time.to_be_kept(), Some(Millis(2 * DAY)));
        time.note_kept(Millis(2 * DAY));
        assert_eq!(time.to_be_kept(), None);
    }

    #[test]
    fn a_clock_that_begins_at_zero_is_at_least_as_late_as_what_was_signed_before() {
        assert_eq!(HubTime::new(Clock::new(|| Millis(0)), Millis(DAY)).now(), Millis(DAY));
    }
}
