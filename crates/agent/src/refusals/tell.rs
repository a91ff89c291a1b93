//! The loop that tells the hub which deliveries were refused as a whole. It rereads the ledger at each turn,
//! so that a crash or an outage only delays it.

use std::sync::Arc;

use sortie_client::ClientError;
use sortie_rules::backoff::Backoff;
use sortie_rules::time::Span;
use sortie_wire::refusals::RefusalReport;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::clock::Entropy;
use crate::hub::Hub;
use crate::ledger::{Ledger, LedgerError};

/// How the waits between tries grow.
const BACKOFF: Backoff = Backoff { first: Span::seconds(1), cap: Span::minutes(5) };

/// The loop that tells the hub of refusals.
#[derive(Debug)]
pub(crate) struct Teller {
    pub(crate) hub: Arc<Hub>,
    pub(crate) ledger: Ledger,
    pub(crate) entropy: Entropy,
    /// Rings when there is a new one.
    pub(crate) bell: Arc<Notify>,
    /// Rings when the agent ends: what the hub does not know is told after the next start.
    pub(crate) stop: CancellationToken,
}

/// Why the hub could not be told.
#[derive(Debug, thiserror::Error)]
enum Untold {
    #[error(transparent)]
    Call(#[from] ClientError),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
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
        let mut failures = 0;
        loop {
            match self.tell_once().await {
                Ok(()) => {
                    failures = 0;
                    self.bell.notified().await;
                }
                Err(error) => {
                    failures += 1;
                    let wait = BACKOFF.wait(failures, self.entropy.draw());
                    tracing::debug!(%error, wait_ms = wait.0, "the hub could not be told of refused deliveries");
                    tokio::time::sleep(wait.to_std()).await;
                }
            }
        }
    }

    async fn tell_once(&self) -> Result<(), Untold> {
        let refused = self.ledger.untold().await?;
        if refused.is_empty() {
            return Ok(());
        }
        let told = refused.iter().map(|one| (one.code.clone(), one.times)).collect();
        self.hub.line().refusals(self.hub.node(), &RefusalReport { refused }).await?;
        Ok(self.ledger.told(told).await?)
    }
}
