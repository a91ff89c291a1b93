//! Does what a delivery says: writes its tasks down, begins them, stops what is to be stopped.

use std::sync::Arc;
use std::time::Duration;

use sortie_client::ClientError;
use sortie_rules::ledger::start_is_written_first;
use sortie_rules::tasks::Code;
use sortie_rules::verification;
use sortie_wire::deliveries::{Delivery, HandedTask, WaitQuery};
use sortie_wire::envelope::Envelope;
use tokio::sync::Notify;

use super::hub_time::HubTime;
use super::verify::{in_time, open, talked_down, unreadable};
use crate::clock::{Clock, Entropy};
use crate::desired::Heard;
use crate::helper::bring_keys;
use crate::hub::Hub;
use crate::ledger::{Incoming, Ledger, LedgerError, Offered, Refused, RunKey, Taken, Verdict};
use crate::refusals::{Refusal, RefusedThing};
use crate::reporter::Outbox;
use crate::runner::{Board, Cancel, Runner, Waiting, cancelled};

/// How long the next wait is held back for the hub's newer key set.
const FOLLOWS_WITHIN: Duration = Duration::from_secs(5);

/// Does what deliveries say.
#[derive(Debug, Clone)]
pub(crate) struct Taker {
    pub(crate) hub: Arc<Hub>,
    pub(crate) hub_time: Arc<HubTime>,
    pub(crate) ledger: Ledger,
    pub(crate) board: Arc<Board>,
    pub(crate) runner: Arc<Runner>,
    pub(crate) outbox: Arc<Outbox>,
    /// Rings when there is a refusal to tell the hub of.
    pub(crate) refused: Arc<Notify>,
    /// What deliveries tell of the node's desired state.
    pub(crate) heard: Arc<Heard>,
    pub(crate) clock: Clock,
    pub(crate) entropy: Entropy,
}

/// Why a delivery was not taken. It will come again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotTaken {
    /// It was not believed.
    #[error("a delivery was refused: {0}")]
    Refused(#[from] Refused),
    /// It could not be written down.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl Taker {
    /// Takes what a wait was answered with. `acknowledged` is the highest number on disk; the one that is
    /// there afterwards is returned.
    pub(crate) async fn take(
        &self,
        asked: &WaitQuery,
        envelope: &Envelope,
        acknowledged: u64,
    ) -> Result<u64, NotTaken> {
        let verified = self.verified(asked, envelope).await;
        self.keep_time().await;
        let delivery = match verified {
            Ok(delivery) => delivery,
            Err(refused) => {
                self.refuse(&refused).await;
                return Err(refused.into());
            }
        };
        let policy = self.runner.policy.now();
        if delivery.tasks.iter().any(|handed| policy.is_for_helper(&handed.type_name)) {
            bring_keys(&self.runner.places.helper, &self.hub).await;
            self.runner.places.helper.take(envelope).await;
        }
        let (number, keys_version) = (delivery.number, delivery.keys_version);
        self.runner.standing.hear(delivery.operators_version);
        self.heard.hear(delivery.desired_generation, delivery.results_wanted);
        let (cancel, results_wanted) = (delivery.cancel.clone(), delivery.results_wanted);
        if number > acknowledged || !delivery.tasks.is_empty() {
            let issued_at = delivery.issued_at;
            let taken = self.ledger.accept(self.incoming(delivery), self.clock.now()).await?;
            self.hub_time.note_kept(issued_at);
            match taken {
                Taken::Whole(verdicts) => self.sort_out(verdicts),
                Taken::Refused(refused, times) => {
                    self.tell(&refused, times);
                    return Err(refused.into());
                }
            }
        }
        for task in cancel {
            self.cancel(task);
        }
        self.runner.fill();
        if results_wanted {
            tracing::warn!("the hub was restored from a backup; the results of the last days are sent again");
            self.ledger.want_all().await?;
            self.outbox.look_again();
        }
        if keys_version > self.hub.keys().version {
            // Now, and not beside the line, so that the next wait tells the hub of it.
            self.follow_keys().await;
        }
        Ok(acknowledged.max(number))
    }

    /// Writes down how late it is by the hub's signature, now and then: deliveries without work are not written
    /// down. What cannot be written is tried again with the next delivery.
    async fn keep_time(&self) {
        let Some(at) = self.hub_time.to_be_kept() else { return };
        match self.ledger.keep_time(at).await {
            Ok(()) => self.hub_time.note_kept(at),
            Err(error) => tracing::error!(%error, "the hub's signed time could not be written down"),
        }
    }

    /// An answer that could not even be read: if it is the answer's fault, it is a refused delivery, too.
    pub(crate) async fn refuse_unread(&self, error: &ClientError) -> Option<NotTaken> {
        let refused = unreadable(error)?;
        self.refuse(&refused).await;
        Some(refused.into())
    }

    /// Writes a refusal down, and tells it.
    async fn refuse(&self, refused: &Refused) {
        match self.ledger.refuse(refused.clone(), self.clock.now()).await {
            Ok(times) => self.tell(refused, times),
            Err(error) => tracing::error!(%error, %refused, "a refusal could not be written down"),
        }
    }

    /// The site's list holds the first refusal for a reason, the second, the fourth and so on: else
    /// somebody on the way could push out of it whatever stands there.
    fn tell(&self, refused: &Refused, times: u64) {
        self.refused.notify_one();
        if times.is_power_of_two() {
            let what = RefusedThing::Delivery { delivery: refused.number, times };
            let (code, message) = (Code::new(refused.code.as_str()), refused.message.clone());
            self.runner.refusals.note(&Refusal { at: self.clock.now(), what, code, message });
        }
    }

    /// The delivery, if it is to be believed.
    async fn verified(&self, asked: &WaitQuery, envelope: &Envelope) -> Result<Delivery, Refused> {
        let me = self.hub.node();
        let opened = match open(envelope, &self.hub.keys().verifier, me, asked) {
            // The hub may sign with a key that is newer than our set.
            Err(Refused { code: verification::Refused::UnknownKey, .. }) => {
                self.follow_keys().await;
                open(envelope, &self.hub.keys().verifier, me, asked)
            }
            opened => opened,
        };
        let delivery = opened?;
        if in_time(&delivery, self.hub_time.now()).is_err() {
            // Either its dates are wrong, or our idea of the time is: the hub knows.
            if let Err(error) = self.hub.learn_time(&self.entropy).await {
                tracing::warn!(%error, "the hub's signed time could not be fetched");
            }
            in_time(&delivery, self.hub_time.now())?;
        }
        self.hub_time.observe(delivery.issued_at);
        match self.hub.speaks(delivery.protocol) {
            Ok(Ok(())) => {}
            Ok(Err(lower)) => return Err(talked_down(&delivery, lower)),
            // Noted at the next delivery that says so.
            Err(error) => tracing::error!(%error, "the version of the protocol could not be noted"),
        }
        Ok(delivery)
    }

    fn incoming(&self, delivery: Delivery) -> Incoming {
        // Only this loop adds work, so at least the first so many begin as soon as they are on disk.
        let idle = self.board.idle();
        let offer = |(position, handed): (usize, HandedTask)| {
            // What operators signed is done once, whatever the hub says of its type, and it may have to wait.
            let is_operation = handed.operation.is_some();
            let handed = HandedTask { idempotent: handed.idempotent && !is_operation, ..handed };
            let starts = position < idle && start_is_written_first(handed.idempotent) && !is_operation;
            let borne = if is_operation { self.runner.nonce_of(&handed) } else { None };
            Offered { borne, handed, starts }
        };
        let tasks = delivery.tasks.into_iter().enumerate().map(offer).collect();
        let Delivery { number, issued_at, operators_version, .. } = delivery;
        Incoming { number, issued_at, operators_version, tasks }
    }

    fn sort_out(&self, verdicts: Vec<Verdict>) {
        let mut answer_again = false;
        let accepted = verdicts.into_iter().filter_map(|verdict| match verdict {
            Verdict::Accepted(Offered { handed, starts, .. }) => Some(Waiting { handed, start_is_written: starts }),
            Verdict::Held(handed) => {
                self.board.take_attempt(&handed);
                None
            }
            Verdict::AnswerAgain => {
                answer_again = true;
                None
            }
            Verdict::Ignored => {
                tracing::warn!("a task of an old delivery was ignored");
                None
            }
        });
        let accepted: Vec<Waiting> = accepted.collect();
        self.board.admit(accepted);
        if answer_again {
            self.outbox.look_again();
        }
    }

    /// Someone wants a task stopped.
    pub(crate) fn cancel(&self, task: sortie_rules::ids::TaskId) {
        match self.board.cancel(task) {
            Cancel::Withdrawn(waiting) => {
                tracing::info!(%task, "a task was cancelled before it began");
                let Waiting { handed, .. } = *waiting;
                self.board.note_ended(&handed);
                let run = RunKey { task, run: handed.run };
                let (runner, end) = (Arc::clone(&self.runner), cancelled(run, handed.attempt, self.clock.now()));
                self.runner.runs.spawn(async move { runner.settle(end).await });
            }
            Cancel::Told => tracing::info!(%task, "a task is to be cancelled; its handler was told"),
            Cancel::NotHeld => {}
        }
    }

    /// The hub does not count a task as held under this attempt: if it has not begun, it need not.
    pub(crate) async fn let_go(&self, task: sortie_rules::ids::TaskId, attempt: u32) {
        let Some(waiting) = self.board.take_waiting(task, attempt) else { return };
        let run = RunKey { task, run: waiting.handed.run };
        match self.ledger.withdraw(run, attempt).await {
            Ok(true) => tracing::info!(%task, "the hub has taken a task back before it began"),
            // A newer claim of it has come in the meantime: it is held after all.
            Ok(false) | Err(_) => {
                self.board.admit([waiting]);
                self.runner.fill();
            }
        }
    }

    /// Follows the chain of the hub's key sets. What does not follow from the set at hand changes nothing.
    async fn follow_keys(&self) {
        let followed = tokio::time::timeout(FOLLOWS_WITHIN, self.hub.follow_keys()).await;
        match followed {
            Ok(Ok(_)) => bring_keys(&self.runner.places.helper, &self.hub).await,
            Ok(Err(error)) => tracing::error!(%error, "the hub's newer key set was not taken"),
            Err(_) => tracing::warn!("the hub's newer key set could not be fetched in time; it will be tried again"),
        }
    }
}
