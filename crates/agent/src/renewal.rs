//! Renews the node's certificate at half its life. A failure is an ordinary day: the certificate
//! holds for as long again, and nothing is ever deleted.

use std::sync::Arc;

use futures_util::FutureExt as _;
use sortie_rules::renewals::{Life, Told, renewal_again, renewal_due};
use sortie_rules::time::{Millis, Span};
use tokio_util::sync::CancellationToken;

use crate::clock::Entropy;
use crate::facts::facts;
use crate::hub::Hub;
use crate::line::HubTime;
use crate::runner::Runner;

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
        let mut told = self.told();
        let mut due = self.due(told);
        loop {
            let wait = due.since(self.hub_time.now());
            if wait > Span::ZERO {
                tokio::select! {
                    () = tokio::time::sleep(wait.min(LOOK_EVERY).to_std()) => {}
                    () = self.hub.renewal_wanted.notified() => due = self.hub_time.now(),
                    () = self.hub.keys_changed() => {
                        if told.is_none() {
                            told = self.told();
                            due = due.min(self.due(told));
                        }
                    }
                }
                continue;
            }
            if !self.hub_time.is_signed() && self.is_not_due_by_the_hub_s_clock().await {
                continue;
            }
            let types = self.runner.policy.now().types(self.runner.handlers.0.keys().map(String::as_str));
            match self.hub.renew(facts(types)).await {
                Ok(until) => {
                    tracing::info!(until_ms = until.0, "the node's certificate was renewed");
                    failures = 0;
                    told = self.told();
                    due = self.due(told);
                    // Whoever asked for it meanwhile has it now.
                    let _asked = self.hub.renewal_wanted.notified().now_or_never();
                }
                Err(error) => {
                    failures += 1;
                    let (now, asked) = (self.hub_time.now(), error.retry_after());
                    let wait = renewal_again(self.life(), told, now, failures, asked, self.entropy.draw());
                    tracing::warn!(%error, wait_ms = wait.0, "the certificate was not renewed; it will be tried again");
                    due = now + wait;
                }
            }
        }
    }

    /// A machine whose clock is ahead asks for the hub's before it asks for a certificate. A hub that does not
    /// answer is asked for the certificate all the same, and will say so.
    async fn is_not_due_by_the_hub_s_clock(&self) -> bool {
        let before = self.hub_time.now();
        self.hub.learn_time(&self.entropy).await.is_ok() && self.hub_time.now() + LOOK_EVERY < before
    }

    fn due(&self, told: Option<Told>) -> Millis {
        renewal_due(self.life(), told, self.entropy.draw())
    }

    /// Whether the hub's newest authority is to issue the certificate anew.
    fn told(&self) -> Option<Told> {
        self.hub.told_to_renew().map(|within| Told { at: self.hub_time.now(), within })
    }

    fn life(&self) -> Life {
        let (from, until) = self.hub.certificate_life();
        // One that cannot be shown is as good as ended.
        let until = if self.hub.has_no_certificate() { until.min(self.hub_time.now()) } else { until };
        Life { from, until: until.max(from) }
    }
}
