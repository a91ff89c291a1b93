//! By which time operations are judged: the later of this machine's clock and of what the hub has signed, so
//! that neither a hub that lies nor a clock that was set back revives an old one.

use std::sync::{Arc, Mutex, PoisonError};

use sortie_rules::time::Millis;

use crate::clock::{Clock, Steady};
use crate::line::HubTime;

/// The clock of operations.
#[derive(Debug)]
pub(crate) struct OperationTime {
    local: Clock,
    hub: Arc<HubTime>,
    /// The latest time that the hub has ever signed, and when that was known here.
    signed: Mutex<(Millis, Steady)>,
}

impl OperationTime {
    /// `signed` is the latest time that the ledger knows of.
    pub(crate) fn new(local: Clock, hub: Arc<HubTime>, signed: Millis) -> OperationTime {
        OperationTime { local, hub, signed: Mutex::new((signed, Steady::now())) }
    }

    /// A verified delivery was signed at this time.
    pub(crate) fn observe(&self, issued_at: Millis) {
        let mut signed = self.signed.lock().unwrap_or_else(PoisonError::into_inner);
        if issued_at > signed.0 + signed.1.elapsed() {
            *signed = (issued_at, Steady::now());
        }
    }

    /// The time.
    pub(crate) fn now(&self) -> Millis {
        let (signed, since) = *self.signed.lock().unwrap_or_else(PoisonError::into_inner);
        self.local.now().max(self.hub.now()).max(signed + since.elapsed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sortie_rules::time::Span;

    #[tokio::test(start_paused = true)]
    async fn it_is_the_later_of_both_and_goes_on_from_the_latest_that_was_signed() {
        let time = |local, hub: Millis| {
            let clock = Clock::new(move || Millis(local));
            let hub_time = Arc::new(HubTime::new(clock.clone(), Millis(0)));
            hub_time.believe(hub);
            OperationTime::new(clock, hub_time, Millis(50))
        };
        assert_eq!(time(70, Millis(60)).now(), Millis(70));
        assert_eq!(time(10, Millis(60)).now(), Millis(60));
        let behind = time(10, Millis(20));
        assert_eq!(behind.now(), Millis(50), "though the hub says that it is earlier");
        behind.observe(Millis(40));
        tokio::time::advance(Span(5).to_std()).await;
        assert_eq!(behind.now(), Millis(55));
        behind.observe(Millis(90));
        assert_eq!(behind.now(), Millis(90));
    }
}
