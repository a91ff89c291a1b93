//! By which time operations are judged: the later of this machine's clock and of what the hub has signed, so
//! that neither a hub that lies nor a clock that was set back revives an old one.

use std::sync::Arc;

use sortie_rules::time::Millis;

use crate::clock::Clock;
use crate::line::HubTime;

/// The clock of operations.
#[derive(Debug)]
pub(crate) struct OperationTime {
    local: Clock,
    hub: Arc<HubTime>,
}

impl OperationTime {
    /// The later of these two.
    pub(crate) fn new(local: Clock, hub: Arc<HubTime>) -> OperationTime {
        OperationTime { local, hub }
    }

    /// The time.
    pub(crate) fn now(&self) -> Millis {
        self.local.now().max(self.hub.latest())
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
            let hub_time = Arc::new(HubTime::new(clock.clone(), Millis(50)));
            hub_time.believe(hub);
            (OperationTime::new(clock, Arc::clone(&hub_time)), hub_time)
        };
        assert_eq!(time(70, Millis(60)).0.now(), Millis(70));
        assert_eq!(time(10, Millis(60)).0.now(), Millis(60));
        let (behind, hub) = time(10, Millis(20));
        assert_eq!(behind.now(), Millis(50), "though the hub says that it is earlier");
        hub.observe(Millis(40));
        tokio::time::advance(Span(5).to_std()).await;
        assert_eq!(behind.now(), Millis(55));
        hub.believe(Millis(90));
        hub.believe(Millis(20));
        assert_eq!(behind.now(), Millis(90), "nor does it take back what it has told");
    }
}
