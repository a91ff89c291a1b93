//! Prunes the ledger, a little at a time.

use sortie_rules::time::Span;

use crate::clock::Clock;
use crate::ledger::Ledger;

/// How often.
const EVERY: Span = Span::hours(1);
/// Pause after the start, and between two steps.
const PAUSE: Span = Span::seconds(1);

/// Forgets what need not be known any more, for ever. Times are the local clock's: the ends of runs
/// were noted by it too.
pub(crate) async fn forget(ledger: Ledger, clock: Clock) {
    loop {
        let mut after = None;
        loop {
            tokio::time::sleep(PAUSE.to_std()).await;
            match ledger.prune(after, clock.now()).await {
                Ok(Some(last)) => after = Some(last),
                Ok(None) => break,
                Err(error) => {
                    tracing::warn!(%error, "the ledger could not be pruned; it will be tried again");
                    break;
                }
            }
        }
        tokio::time::sleep(EVERY.to_std()).await;
    }
}
