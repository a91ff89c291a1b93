//! The loop that always has a wait open at the hub.

use std::sync::Arc;

use sortie_client::ClientError;
use sortie_rules::backoff::{Backoff, jittered};
use sortie_rules::ids::BootId;
use sortie_rules::limits::WAIT_DEFAULT;
use sortie_rules::time::Span;
use sortie_wire::deliveries::WaitQuery;
use sortie_wire::problem::ProblemCode;
use tokio_util::sync::CancellationToken;

use super::open_waits::{Answered, OpenWaits};
use super::take::{NotTaken, Taker};
use crate::clock::Entropy;
use crate::hub::HubError;
use crate::runner::Board;

/// How the waits between tries grow.
const BACKOFF: Backoff = Backoff { first: Span::seconds(1), cap: Span::seconds(60) };
/// So many waits in a row may be late because something held them up on the way.
const LATE_BY_CHANCE: u32 = 3;
/// Pause where only a person can help: a node that was revoked.
const HELPLESS: Span = Span::minutes(5);
/// Longest pause while an operator has to decide.
const QUARANTINED: Span = Span::seconds(5);
/// How many of these pauses there are between two words about it: ten minutes.
const QUARANTINED_SAID_EVERY: u32 = 120;
/// Longest pause for a renewal that goes first.
const AFTER_RENEWAL: Span = Span::seconds(5);

/// The loop that always has a wait open at the hub.
#[derive(Debug)]
pub(crate) struct WaitLoop {
    pub(crate) taker: Taker,
    pub(crate) board: Arc<Board>,
    pub(crate) entropy: Entropy,
    /// This start of the agent.
    pub(crate) boot: BootId,
    /// The highest delivery on disk.
    pub(crate) acknowledged: u64,
    /// Rings when the agent stops taking work.
    pub(crate) stop: CancellationToken,
}

impl WaitLoop {
    /// Waits and takes until it is told to stop. A delivery that has come is taken to its end.
    pub(crate) async fn run(mut self) {
        let (mut open, mut seq, mut failures) = (OpenWaits::default(), 0, 0);
        // How often in a row the hub has said that the node is quarantined.
        let mut quarantined = 0;
        while !self.stop.is_cancelled() {
            if !open.is_asking() {
                seq += 1;
                self.ask(&mut open, seq);
            }
            let (answered, is_newest) = tokio::select! {
                next = open.next() => next,
                () = self.board.room_bell.notified(), if open.only_for_news() => {
                    if self.board.room() > 0 {
                        seq += 1;
                        self.ask(&mut open, seq);
                    }
                    continue;
                }
                // The hub waits to hear of it.
                () = self.taker.hub.certificate_changed(), if open.may_ask_beside() => {
                    seq += 1;
                    self.ask(&mut open, seq);
                    continue;
                }
                () = self.stop.cancelled() => return,
            };
            match self.handle(answered).await {
                Ok(()) if failures > 0 => {
                    tracing::info!(failures, "the line to the hub works again");
                    (failures, quarantined) = (0, 0);
                }
                Ok(()) => {}
                // An older wait was ended for the sake of a newer one.
                Err(_) if !is_newest => {}
                Err(trouble) => {
                    failures += 1;
                    self.pause(trouble, failures, &mut quarantined).await;
                }
            }
        }
    }

    fn ask(&self, open: &mut OpenWaits, seq: u64) {
        let query = WaitQuery {
            room: self.board.room(),
            ack: self.acknowledged,
            wait_s: wait_seconds(self.entropy.draw()),
            boot: self.boot,
            seq,
            clock: Some(self.taker.clock.now()),
            keys: Some(self.taker.hub.keys_version()),
            certified: Some(self.taker.hub.told_to_renew().is_none()),
        };
        open.ask(self.taker.hub.line(), self.taker.hub.node(), query);
    }

    async fn handle(&mut self, answered: Answered) -> Result<(), Trouble> {
        let Answered { query, answer } = answered;
        let envelope = match answer {
            Ok(envelope) => envelope,
            Err(error) => {
                let refused = self.taker.refuse_unread(&error).await;
                return Err(refused.map_or(Trouble::Call(error), Trouble::NotTaken));
            }
        };
        self.acknowledged = self.taker.take(&query, &envelope, self.acknowledged).await.map_err(Trouble::NotTaken)?;
        Ok(())
    }

    async fn pause(&self, trouble: Trouble, failures: u32, quarantined: &mut u32) {
        let own = BACKOFF.wait(failures, self.entropy.draw());
        let wait = match &trouble {
            // The next answer may well be good; what is wrong twice is not asked for again in haste.
            Trouble::NotTaken(error) if failures == 1 => {
                tracing::error!(%error, "a delivery was not taken; nothing of it was done");
                Span::ZERO
            }
            Trouble::NotTaken(error) => {
                tracing::error!(%error, failures, wait_ms = own.0, "a delivery was not taken; nothing of it was done");
                own
            }
            Trouble::Call(error) => self.after_call(error, own, failures, quarantined).await,
        };
        tokio::select! {
            () = tokio::time::sleep(wait.to_std()) => {}
            () = self.stop.cancelled() => {}
        }
    }

    /// How long to wait after a call that failed, and what can be done about it.
    async fn after_call(&self, error: &ClientError, own: Span, failures: u32, quarantined: &mut u32) -> Span {
        let wait = error.retry_after().map_or(own, |asked| asked.max(own));
        let code = error.problem().map(|problem| problem.code);
        let said_before = std::mem::take(quarantined);
        match code {
            Some(ProblemCode::WaitLate) if failures < LATE_BY_CHANCE => {
                tracing::debug!("a wait came late; the next one follows");
                return Span::ZERO;
            }
            Some(ProblemCode::WaitLate) => {
                tracing::warn!(
                    wait_ms = wait.0,
                    "waits come late again and again: does another agent speak with this node's key? Was this disk \
                     copied?"
                );
                return wait;
            }
            Some(ProblemCode::NodeQuarantined) => {
                // An operator decides, perhaps in a moment.
                let wait = wait.min(QUARANTINED);
                *quarantined = said_before.saturating_add(1);
                if !said_before.is_multiple_of(QUARANTINED_SAID_EVERY) {
                    tracing::debug!(wait_ms = wait.0, "the node is quarantined still");
                    return wait;
                }
                tracing::error!(
                    wait_ms = wait.0,
                    "another agent speaks for this node: was this disk copied, or restored from an older copy? The hub \
                     hands out no tasks until an operator has decided (`sortie node readmit`); what runs here runs on"
                );
                return wait;
            }
            Some(ProblemCode::CertificateRevoked | ProblemCode::NodeRevoked) => {
                let wait = jittered(HELPLESS, self.entropy.draw());
                tracing::error!(%error, wait_ms = wait.0, "the hub does not take this node any more");
                return wait;
            }
            Some(ProblemCode::AssertionUntimely) if failures < 3 => {
                tracing::info!(%error, "the hub's time is asked for");
                return self.learn_time(wait).await;
            }
            Some(ProblemCode::CertificateEnded) => {
                let wait = wait.min(AFTER_RENEWAL);
                tracing::warn!(wait_ms = wait.0, "the node's certificate has ended; it is renewed first");
                self.taker.hub.renewal_wanted.notify_one();
                return wait;
            }
            _ => {}
        }
        let mut error_chain = chain(error);
        if let Some(advice) = self.taker.hub.advice(error) {
            error_chain = format!("{error_chain}; {advice}");
        }
        tracing::warn!(
            error = error_chain,
            failures,
            wait_ms = wait.0,
            "the hub cannot be asked; it will be tried again"
        );
        if let ClientError::Tls { fault, .. } = error
            && fault.is_about_dates()
        {
            return self.learn_time(wait).await;
        }
        if error.is_by_an_unknown_key() {
            return followed(self.taker.hub.follow_keys().await, wait);
        }
        if let ClientError::Tls { fault, .. } = error
            && fault.is_about_the_issuer()
        {
            return followed(self.taker.hub.follow_keys_unjudged().await, wait);
        }
        wait
    }

    /// How long to wait when it was the clock: not at all, once the hub has told its time.
    async fn learn_time(&self, wait: Span) -> Span {
        match self.taker.hub.learn_time(&self.entropy).await {
            Ok(()) => Span::ZERO,
            Err(error) => {
                tracing::warn!(%error, "the hub's signed time could not be fetched");
                wait
            }
        }
    }
}

/// How long to wait when it was the hub's keys: not at all, once there are others.
fn followed(outcome: Result<bool, HubError>, wait: Span) -> Span {
    match outcome {
        Ok(true) => Span::ZERO,
        Ok(false) => wait,
        Err(error) => {
            tracing::error!(%error, "the hub's key sets lead to none that could be believed");
            wait
        }
    }
}

#[derive(Debug)]
enum Trouble {
    Call(ClientError),
    NotTaken(NotTaken),
}

/// How long the hub may hold a wait: a little less than usual, by chance, so that agents that began
/// together do not come back together.
fn wait_seconds(draw: u32) -> u32 {
    let tenth = WAIT_DEFAULT.0 / 10;
    let wait = Span(WAIT_DEFAULT.0 - tenth) + jittered(Span(tenth), draw);
    u32::try_from(wait.0 / 1000).unwrap_or(1)
}

/// An error with all its causes, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_differ_and_stay_below_the_usual_one() {
        assert!(wait_seconds(0) < wait_seconds(u32::MAX));
        assert!((45..=50).contains(&wait_seconds(u32::MAX)));
    }
}
