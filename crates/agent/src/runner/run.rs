//! Carries one run from its beginning to the ledger.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt as _;
use sortie_rules::backoff::Backoff;
use sortie_rules::ledger::start_is_written_first;
use sortie_rules::tasks::Code;
use sortie_rules::time::Span;
use sortie_wire::deliveries::HandedTask;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::board::{Begun, Board};
use super::judge::judge;
use super::outcome::{Ending, ended};
use crate::clock::{Clock, Entropy};
use crate::handlers::{Failure, Handler, Handlers, Output, Work};
use crate::ledger::{Ended, Ledger, LedgerError, RunKey};
use crate::line::HubTime;
use crate::policy::PolicyWatch;
use crate::reporter::Outbox;

/// How the waits grow while the ledger cannot be written (a full disk).
const LEDGER_BACKOFF: Backoff = Backoff { first: Span::seconds(1), cap: Span::seconds(30) };

/// Runs what waits.
#[derive(Debug)]
pub(crate) struct Runner {
    pub(crate) board: Arc<Board>,
    pub(crate) handlers: HandlerSet,
    pub(crate) policy: PolicyWatch,
    pub(crate) ledger: Ledger,
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) hub_time: Arc<HubTime>,
    pub(crate) clock: Clock,
    pub(crate) entropy: Entropy,
    /// Every run under way.
    pub(crate) runs: TaskTracker,
    /// Rings when runs under way are to be left where they are: the agent ends now.
    pub(crate) abandon: CancellationToken,
}

/// The handlers, by type.
pub(crate) struct HandlerSet(pub(crate) Handlers);

impl std::fmt::Debug for HandlerSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Runner {
    /// Begins as many of the waiting runs as there are places.
    pub(crate) fn fill(self: &Arc<Self>) {
        while let Some(begun) = self.board.begin() {
            let runner = Arc::clone(self);
            self.runs.spawn(async move { runner.carry(begun).await });
        }
    }

    /// Writes an end down and hands it to the reporter.
    pub(crate) async fn settle(&self, ended: Ended) {
        self.insist("write down how a run ended", || self.ledger.finish(ended.clone())).await;
        self.outbox.push(ended);
    }

    async fn carry(self: Arc<Self>, begun: Begun) {
        let handed = &begun.waiting.handed;
        let run = RunKey { task: handed.id, run: handed.run };
        let (name, attempt, began) = (handed.type_name.clone(), handed.attempt, self.clock.now());
        let Some(given) = self.work(begun).await else { return };
        let (newest_attempt, told) = self.board.end(run);
        self.fill();
        let attempt = newest_attempt.unwrap_or(attempt);
        let now = self.clock.now();
        let word = match &given {
            Ok(_) => "completed",
            Err(Failure::Failed { .. }) => "failed",
            Err(Failure::Rejected { .. }) => "rejected",
            Err(Failure::Cancelled) => "cancelled",
        };
        tracing::info!(task = %run.task, run = run.run, r#type = %name, ms = now.since(began).0, "a run ended: {word}");
        self.settle(ended(Ending { run, attempt, began, now }, given, told)).await;
    }

    /// What the handler gives, or `None` if the agent ends before it does.
    async fn work(&self, begun: Begun) -> Option<Result<Output, Failure>> {
        let Begun { waiting, stop } = begun;
        let (handed, policy) = (waiting.handed, self.policy.now());
        let handler = match judge(&handed, &policy, &self.handlers.0, self.hub_time.now()) {
            Ok(handler) => handler,
            Err(refusal) => return Some(Err(refusal)),
        };
        if start_is_written_first(handed.idempotent) && !waiting.start_is_written {
            let run = RunKey { task: handed.id, run: handed.run };
            self.insist("write down that a run begins", || self.ledger.begin(run)).await;
            if self.abandon.is_cancelled() {
                return None;
            }
        }
        let HandedTask { id, run, attempt, type_name, payload, traceparent, .. } = handed;
        tracing::debug!(task = %id, run, r#type = %type_name, traceparent, "a run begins");
        let work = Work { task: id, run, attempt, type_name, payload, traceparent, policy, stop: stop.clone() };
        tokio::select! {
            given = guarded(handler, work) => Some(given),
            () = self.abandon.cancelled() => {
                stop.cancel();
                None
            }
        }
    }

    /// Does something with the ledger until it succeeds: it must not be given up, and nothing is lost
    /// while it waits. It ends without success only when the agent does.
    async fn insist<F>(&self, what: &str, mut attempt: impl FnMut() -> F)
    where
        F: Future<Output = Result<(), LedgerError>>,
    {
        let mut failures = 0;
        while let Err(error) = attempt().await {
            failures += 1;
            let wait = LEDGER_BACKOFF.wait(failures, self.entropy.draw());
            tracing::error!(%error, wait_ms = wait.0, "could not {what}; it will be tried again");
            tokio::select! {
                () = tokio::time::sleep(wait.to_std()) => {}
                () = self.abandon.cancelled() => return,
            }
        }
    }
}

/// A handler that panics fails; it takes nothing else with it.
async fn guarded(handler: Arc<dyn Handler>, work: Work) -> Result<Output, Failure> {
    let run = AssertUnwindSafe(async move { handler.run(work).await });
    run.catch_unwind().await.unwrap_or_else(|panic| {
        let words = panic.downcast_ref::<&str>().copied().map(str::to_owned);
        let words = words.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
        tracing::error!("a handler panicked: {words}");
        Err(Failure::failed(Code::HANDLER_FAILED, format!("the handler panicked: {words}"), false))
    })
}
