//! Carries one run from its beginning to the ledger.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt as _;
use sortie_rules::backoff::Backoff;
use sortie_rules::ledger::start_is_written_first;
use sortie_rules::limits::RESULT_INLINE_BYTES_MAX;
use sortie_rules::tasks::Code;
use sortie_rules::time::Span;
use sortie_wire::deliveries::HandedTask;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::board::{Begun, Board};
use super::judge::{Doer, judge};
use super::outcome::{Ending, ended};
use crate::clock::{Clock, Entropy};
use crate::handlers::command::{self, Places};
use crate::handlers::{Failure, HandlerFuture, Handlers, Outgoing, Output, Work, large, service};
use crate::ledger::{Ended, Ledger, LedgerError, RunKey};
use crate::line::HubTime;
use crate::logs::Desk;
use crate::policy::PolicyWatch;
use crate::refusals::{Refusal, Refusals, RefusedThing};
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
    pub(crate) logs: Arc<Desk>,
    pub(crate) places: Places,
    pub(crate) outgoing: Outgoing,
    pub(crate) refusals: Refusals,
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
        tracing::debug!("the end of a run is kept");
        self.outbox.push(ended);
    }

    async fn carry(self: Arc<Self>, begun: Begun) {
        let handed = &begun.waiting.handed;
        let run = RunKey { task: handed.id, run: handed.run };
        let (name, attempt, began) = (handed.type_name.clone(), handed.attempt, self.clock.now());
        let Some((given, log_bytes)) = self.work(begun).await else { return };
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
        self.settle(ended(Ending { run, attempt, began, now, log_bytes }, given, told)).await;
    }

    /// What the handler gives, and how long its log is; `None` if the agent ends before it does.
    async fn work(&self, begun: Begun) -> Option<(Result<Output, Failure>, u64)> {
        let Begun { waiting, stop } = begun;
        let (handed, mut policy) = (waiting.handed, self.policy.now());
        let mut judged = judge(&handed, &policy, &self.handlers.0, self.hub_time.now());
        if judged.is_err() {
            policy = self.policy.fresh();
            judged = judge(&handed, &policy, &self.handlers.0, self.hub_time.now());
        }
        let doer = match judged {
            Ok(doer) => doer,
            Err(refusal) => {
                self.note(&handed, &refusal);
                return Some((Err(refusal), 0));
            }
        };
        if start_is_written_first(handed.idempotent) && !waiting.start_is_written {
            let run = RunKey { task: handed.id, run: handed.run };
            self.insist("write down that a run begins", || self.ledger.begin(run)).await;
            if self.abandon.is_cancelled() {
                return None;
            }
        }
        let HandedTask { id, run, attempt, type_name, idempotent, payload, traceparent, secrets, .. } = handed;
        tracing::debug!(task = %id, run, r#type = %type_name, traceparent, "a run begins");
        let key = RunKey { task: id, run };
        let log = self.logs.begin(key, payload.get(), &secrets);
        let stop_too = stop.clone();
        let work =
            Work { task: id, run, attempt, type_name, payload, traceparent, idempotent, log, policy, stop: stop_too };
        tokio::select! {
            given = guarded(self.doing(doer, work)) => {
                let log_bytes = self.logs.end(key);
                Some((given.and_then(|output| self.small_enough(output, key)), log_bytes))
            }
            () = self.abandon.cancelled() => {
                stop.cancel();
                None
            }
        }
    }

    /// Adds a refusal to the site's own list.
    fn note(&self, handed: &HandedTask, refusal: &Failure) {
        if let Failure::Rejected { code, message } = refusal {
            let (code, message) = (code.clone(), message.clone());
            let what = RefusedThing::Task { task: handed.id, type_name: handed.type_name.clone() };
            self.refusals.note(&Refusal { at: self.clock.now(), what, code, message });
        }
    }

    /// The work, whoever does it.
    fn doing(&self, doer: Doer, work: Work) -> HandlerFuture {
        match doer {
            // A handler may panic before there is anything to await.
            Doer::Handler(handler) => Box::pin(async move { handler.run(work).await }),
            Doer::Command(command) => Box::pin(command::run(work, command, self.places.clone())),
            Doer::Service(service) => Box::pin(service::run(work, service, self.outgoing.clone())),
        }
    }

    /// A result that is too large to be sent is kept at the site, and the task fails by it.
    fn small_enough(&self, output: Output, run: RunKey) -> Result<Output, Failure> {
        let bytes = output.bytes();
        if bytes <= RESULT_INLINE_BYTES_MAX {
            return Ok(output);
        }
        let kept =
            large::keep_text(&self.places.results, &format!("{}.{}", run.task, run.run), output.into_raw().get());
        let message = match kept {
            Ok(path) => format!("the result has {bytes} bytes; it is kept at the site in {}", path.display()),
            Err(error) => format!("the result has {bytes} bytes, and could not be kept at the site: {error}"),
        };
        Err(Failure::failed(Code::RESULT_TOO_LARGE, message, false))
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
async fn guarded(work: HandlerFuture) -> Result<Output, Failure> {
    AssertUnwindSafe(work).catch_unwind().await.unwrap_or_else(|panic| {
        let words = panic.downcast_ref::<&str>().copied().map(str::to_owned);
        let words = words.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
        tracing::error!("a handler panicked: {words}");
        Err(Failure::failed(Code::HANDLER_FAILED, format!("the handler panicked: {words}"), false))
    })
}
