//! Renews the node's certificate at half its life. A failure is an ordinary day: the certificate
//! holds for as long again, and nothing is ever deleted.

use std::sync::Arc;

use sortie_rules::backoff::Backoff;
use sortie_rules::enrollment::renew_at;
use sortie_rules::time::{Millis, Span};
use tokio_util::sync::CancellationToken;

use crate::clock::Entropy;
use crate::facts::facts;
use crate::hub::Hub;
use crate::line::HubTime;
use crate::runner::Runner;

/// How the waits between tries grow.
const BACKOFF: Backoff = Backoff { first: Span::minutes(1), cap: Span::hours(1) };
/// Longest sleep: time may turn out to be later than it seemed.
const LOOK_EVERY: Span = Span::hours(1);

/// The loop that renews the certificate.
#[derive(Debug)]
pub(crate) struct Renewal {
    pub(crate) hub: Arc<Hub>,
    pub(crate) hub_time: Arc<HubTime>,
    pub(crate) runner: Arc<Runner>,
    pub(crate) entropy: Entropy,
    /// Rings when the agent ends.
    pub(crate) stop: CancellationToken,
}

impl Renewal {
    /// Renews when it is due, until the agent ends.
    pub(crate) async fn run(self) {
        tokio::select! {
            () = self.renew_for_ever() => {}
            () = self.stop.cancelled() => {}
        }
    }

    async fn renew_for_ever(&self) {
        let mut failures = 0;
        let mut due = self.due();
        loop {
            let wait = due.since(self.hub_time.now());
            if wait > Span::ZERO {
                tokio::time::sleep(wait.min(LOOK_EVERY).to_std()).await;
                continue;
            }
            let types = self.runner.policy.now().types(self.runner.handlers.0.keys().map(String::as_str));
            match self.hub.renew(facts(types)).await {
                Ok(until) => {
                    tracing::info!(until_ms = until.0, "the node's certificate was renewed");
                    failures = 0;
                    due = self.due();
                }
                Err(error) => {
                    failures += 1;
                    let wait = BACKOFF.wait(failures, self.entropy.draw());
                    tracing::warn!(%error, wait_ms = wait.0, "the certificate was not renewed; it will be tried again");
                    tokio::time::sleep(wait.to_std()).await;
                }
            }
        }
    }

    fn due(&self) -> Millis {
        let (from, until) = self.hub.certificate_life();
        due(from, until, self.entropy.draw())
    }
}

/// Half life, or by chance up to a twentieth of the life earlier, so that nodes that enrolled
/// together do not renew together. Never sooner than a minute after it was issued.
fn due(from: Millis, until: Millis, draw: u32) -> Millis {
    let spread = until.since(from).0 / 20;
    let early = i128::from(spread) * i128::from(draw) / i128::from(u32::MAX);
    let due = renew_at(from, until) - Span(i64::try_from(early).unwrap_or(0));
    due.max(from + Span::minutes(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renewal_is_due_at_about_half_life() {
        let (from, until) = (Millis(0), Millis(0) + Span::days(30));
        assert_eq!(due(from, until, 0), from + Span::days(15));
        assert_eq!(due(from, until, u32::MAX), from + Span::hours(36 * 9));
    }
}
