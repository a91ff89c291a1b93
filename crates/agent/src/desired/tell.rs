//! The loop that tells the hub how the node stands to what it should be: after each start and whenever that changes.

use std::sync::Arc;

use sortie_rules::backoff::Backoff;
use sortie_rules::time::Span;
use sortie_wire::desired::Observed;
use tokio_util::sync::CancellationToken;

use super::desk::Desk;
use crate::clock::Entropy;
use crate::hub::Hub;

/// How long changes are gathered.
const GATHERED_FOR: Span = Span::seconds(1);
/// How the waits between tries grow.
const BACKOFF: Backoff = Backoff { first: Span::seconds(1), cap: Span::minutes(5) };

/// The loop.
#[derive(Debug)]
pub(crate) struct Teller {
    pub(crate) desk: Arc<Desk>,
    pub(crate) hub: Arc<Hub>,
    pub(crate) entropy: Entropy,
    /// Rings when the agent ends: what the hub does not know is told after the next start.
    pub(crate) stop: CancellationToken,
}

impl Teller {
    /// Tells until the agent ends.
    pub(crate) async fn run(self) {
        tokio::select! {
            () = self.tell() => {}
            () = self.stop.cancelled() => {}
        }
    }

    async fn tell(&self) {
        let mut told: Option<Observed> = None;
        let mut failures = 0;
        loop {
            let now = self.desk.observed();
            let news = now.filter(|now| !told.as_ref().is_some_and(|told| says_the_same(told, now)));
            let Some(news) = news else {
                self.desk.bell.notified().await;
                tokio::time::sleep(GATHERED_FOR.to_std()).await;
                continue;
            };
            match self.hub.line().observed(self.hub.node(), &news).await {
                Ok(()) => {
                    failures = 0;
                    self.desk.memory.hub_heard(&news);
                    told = Some(news);
                }
                Err(error) => {
                    failures += 1;
                    let wait = BACKOFF.wait(failures, self.entropy.draw());
                    tracing::debug!(%error, wait_ms = wait.0, "the hub could not be told of the desired state");
                    // What comes meanwhile is told with it.
                    tokio::time::sleep(wait.to_std()).await;
                }
            }
        }
    }
}

/// That it was looked at once more is no news by itself, nor since when something has not been looked at.
fn says_the_same(told: &Observed, now: &Observed) -> bool {
    let same = |(told, now): (&sortie_rules::desired::Condition, &sortie_rules::desired::Condition)| {
        let is_pending = told.status == sortie_rules::desired::ConditionStatus::Pending;
        told == now || (is_pending && told.resource == now.resource && told.status == now.status)
    };
    told.generation == now.generation
        && told.refused == now.refused
        && told.policy_unusable == now.policy_unusable
        && told.conditions.len() == now.conditions.len()
        && told.conditions.iter().zip(&now.conditions).all(same)
}
