//! Says to the hub, while tasks are held, which ones: that renews their leases. A task of its own,
//! apart from the work, so that a busy machine does not look dead.

use std::sync::Arc;

use sortie_client::ClientError;
use sortie_rules::backoff::{Backoff, jittered};
use sortie_rules::ids::{BootId, TaskId};
use sortie_rules::limits::HEARTBEAT_EVERY;
use sortie_rules::time::Span;
use sortie_wire::heartbeat::{Heartbeat, Held, Pulse};
use tokio_util::sync::CancellationToken;

use crate::clock::Entropy;
use crate::hub::Hub;
use crate::line::Taker;
use crate::runner::Board;

/// How the waits after failures grow; never longer than the usual wait.
const BACKOFF: Backoff = Backoff { first: Span::seconds(1), cap: Span::seconds(20) };

/// The loop that sends heartbeats.
#[derive(Debug)]
pub(crate) struct Heart {
    pub(crate) hub: Arc<Hub>,
    pub(crate) board: Arc<Board>,
    pub(crate) taker: Taker,
    pub(crate) boot: BootId,
    pub(crate) entropy: Entropy,
    /// Rings when the agent ends.
    pub(crate) stop: CancellationToken,
}

impl Heart {
    /// Beats while something is held, until the agent ends.
    pub(crate) async fn run(self) {
        tokio::select! {
            () = self.beat() => {}
            () = self.stop.cancelled() => {}
        }
    }

    async fn beat(&self) {
        let mut failures = 0;
        loop {
            let Some((_, shortest)) = self.board.held() else {
                self.board.held_bell.notified().await;
                continue;
            };
            let mut wait = jittered(every(shortest), self.entropy.draw());
            if failures > 0 {
                wait = wait.min(BACKOFF.wait(failures, self.entropy.draw()));
            }
            tokio::select! {
                () = tokio::time::sleep(wait.to_std()) => {}
                // Something with a shorter lease has come: reckon anew.
                () = self.board.held_bell.notified() => continue,
            }
            let Some((held, shortest)) = self.board.held() else { continue };
            // What the beat was meant for has ended, and the rest has time.
            if failures == 0 && every(shortest).0 > 2 * wait.0 {
                continue;
            }
            failures = match self.say(held).await {
                Ok(()) => 0,
                Err(error) => {
                    tracing::warn!(%error, "a heartbeat did not reach the hub; it will be tried again");
                    failures + 1
                }
            };
        }
    }

    async fn say(&self, held: Vec<Held>) -> Result<(), ClientError> {
        let beat = Heartbeat { boot: self.boot, held };
        let Pulse { cancel, not_held, now: _ } = self.hub.line().heartbeat(self.hub.node(), &beat).await?;
        for task in cancel {
            self.taker.cancel(task);
        }
        for task in not_held {
            if let Some(attempt) = said_attempt(&beat.held, task) {
                self.taker.let_go(task, attempt).await;
            }
        }
        Ok(())
    }
}

/// Often enough that a beat may be lost and the lease still holds.
fn every(shortest_lease: Span) -> Span {
    HEARTBEAT_EVERY.min(Span(shortest_lease.0 / 3)).max(Span(500))
}

fn said_attempt(held: &[Held], task: TaskId) -> Option<u32> {
    held.iter().find(|held| held.task == task).map(|held| held.attempt)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_beats_fit_into_the_shortest_lease() {
        assert_eq!(every(Span::seconds(60)), Span::seconds(20));
        assert_eq!(every(Span::seconds(6)), Span::seconds(2));
        assert_eq!(every(Span::hours(2)), HEARTBEAT_EVERY);
    }
}
