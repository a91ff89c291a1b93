//! Sends what is to be sent, until the hub has it.

use sortie_rules::backoff::Backoff;
use sortie_rules::time::Span;

use super::all::Reports;

/// How the waits between tries grow.
const BACKOFF: Backoff = Backoff { first: Span::seconds(1), cap: Span::minutes(5) };

impl Reports {
    /// Sends for ever.
    pub(super) async fn send(&self) {
        let mut failures = 0;
        loop {
            let Some(report) = self.outbox.first() else {
                self.outbox.bell.notified().await;
                continue;
            };
            match self.hub.line().report(self.hub.node(), &report).await {
                Ok(()) => failures = 0,
                // The same again would be refused again.
                Err(error) if is_about_what_was_sent(&error) || is_overtaken(&error) => {
                    tracing::warn!(kind = report.kind, subject = report.subject, %error, "the hub has refused a \
                     report");
                }
                Err(error) => {
                    failures += 1;
                    let wait = BACKOFF.wait(failures, self.runner.entropy.draw());
                    let wait = wait.max(error.retry_after().unwrap_or(Span::ZERO));
                    tracing::debug!(%error, wait_ms = wait.0, "a report could not be sent; it will be tried again");
                    tokio::time::sleep(wait.to_std()).await;
                    continue;
                }
            }
            self.outbox.remove(&report.kind, report.subject.as_deref(), report.taken_at);
        }
    }
}

/// Whether the hub will never take this.
pub(super) fn is_about_what_was_sent(error: &sortie_client::ClientError) -> bool {
    error.problem().is_some_and(|problem| matches!(problem.status, 400 | 413 | 422))
}

/// Whether another report of the same came at the same moment.
fn is_overtaken(error: &sortie_client::ClientError) -> bool {
    error.problem().is_some_and(|problem| problem.status == 409)
}
