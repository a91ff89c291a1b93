//! Carries one run from its beginning to the ledger.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt as _;
use sortie_rules::backoff::Backoff;
use sortie_rules::ids::{NodeId, TaskId};
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
use super::privileged::Signed;
use crate::clock::{Clock, Entropy};
use crate::handlers::command::{self, Places};
use crate::handlers::{Failure, HandlerFuture, Handlers, Outgoing, Output, Work, large, service, service_restart};
use crate::ledger::{Ended, Ledger, LedgerError, RunKey};
use crate::line::HubTime;
use crate::logs::Desk;
use crate::operations::{OperationTime, Standing};
use crate::policy::{Policy, PolicyWatch};
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
    pub(crate) operation_time: Arc<OperationTime>,
    pub(crate) standing: Arc<Standing>,
    pub(crate) me: Me,
    pub(crate) clock: Clock,
    pub(crate) entropy: Entropy,
    /// Every run under way.
    pub(crate) runs: TaskTracker,
    /// Rings when runs under way are to be left where they are: the agent ends now.
    pub(crate) abandon: CancellationToken,
}

/// Whom operators name when they mean this node.
#[derive(Debug)]
pub(crate) struct Me {
    pub(crate) node: NodeId,
    /// The fingerprint of its key.
    pub(crate) key: String,
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
        let is_operation = handed.operation.is_some();
        let Some((mut given, log_bytes)) = self.work(begun).await else { return };
        if is_operation && let Err(Failure::Failed { retry, .. }) = &mut given {
            // What operators signed is done once.
            *retry = false;
        }
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
        let code = match &given {
            Err(Failure::Failed { code, .. } | Failure::Rejected { code, .. }) => Some(code.0.as_str()),
            Ok(_) | Err(Failure::Cancelled) => None,
        };
        let ms = now.since(began).0;
        tracing::info!(task = %run.task, run = run.run, r#type = %name, ms, code, "a run ended: {word}");
        self.note(run.task, &name, &given);
        self.settle(ended(Ending { run, attempt, began, now, log_bytes }, given, told)).await;
    }

    /// What the handler gives, and how long its log is; `None` if the agent ends before it does.
    async fn work(&self, begun: Begun) -> Option<(Result<Output, Failure>, u64)> {
        let Begun { waiting, stop } = begun;
        let mut handed = waiting.handed;
        let (doer, policy) = match self.admit(&mut handed, &stop).await? {
            Ok(admitted) => admitted,
            Err(refusal) => return Some((Err(refusal), 0)),
        };
        let key = RunKey { task: handed.id, run: handed.run };
        if matches!(doer, Doer::Reboot) {
            let given = self.reboot_when_due(handed, policy, &stop).await?;
            return Some((given, self.logs.end(key)));
        }
        if start_is_written_first(handed.idempotent) && !waiting.start_is_written {
            self.insist("write down that a run begins", || self.ledger.begin(key)).await;
            if self.abandon.is_cancelled() {
                return None;
            }
        }
        let work = self.begin(handed, policy, stop.clone());
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

    /// The run as its handler gets it, with a log.
    pub(super) fn begin(&self, handed: HandedTask, policy: Arc<Policy>, stop: CancellationToken) -> Work {
        let HandedTask { id, run, attempt, type_name, idempotent, payload, traceparent, secrets, .. } = handed;
        tracing::debug!(task = %id, run, r#type = %type_name, traceparent, "a run begins");
        let log = self.logs.begin(RunKey { task: id, run }, payload.get(), &secrets);
        Work { task: id, run, attempt, type_name, payload, traceparent, idempotent, log, policy, stop }
    }

    /// What does the work of a run, and the policy that lets it; what operators signed takes the place of its
    /// payload. `None` if the agent ends before that is known.
    pub(super) async fn admit(
        &self,
        handed: &mut HandedTask,
        stop: &CancellationToken,
    ) -> Option<Result<(Doer, Arc<Policy>), Failure>> {
        let look = |policy: &Policy| judge(handed, policy, &self.handlers.0, self.hub_time.now());
        let mut policy = self.policy.now();
        let mut judged = look(&policy);
        if judged.is_err() || policy.signatures(&handed.type_name).is_some() {
            policy = self.policy.fresh();
            judged = look(&policy);
        }
        let mut signed_by = 0;
        let mut params = None;
        // While a run waits for its operators the policy may change, and with it how many must have signed.
        while judged.is_ok()
            && let Some(needed) = policy.signatures(&handed.type_name)
            && needed > signed_by
        {
            match self.is_signed(handed, needed, stop).await {
                Signed::Yes(verified) => params = Some(verified.params),
                Signed::No(failure) => return Some(Err(failure)),
                Signed::Abandoned => return None,
            }
            signed_by = needed;
            policy = self.policy.fresh();
            judged = look(&policy);
        }
        if let Some(params) = params {
            handed.payload = params;
            self.places.helper.follow(&self.standing).await;
        }
        Some(judged.map(|doer| (doer, policy)))
    }

    /// Adds a refusal to the site's own list, whoever refused: the policy, or the handler by the policy.
    fn note(&self, task: TaskId, type_name: &str, given: &Result<Output, Failure>) {
        if let Err(Failure::Rejected { code, message }) = given {
            let (code, message) = (code.clone(), message.clone());
            let what = RefusedThing::Task { task, type_name: type_name.to_owned() };
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
            Doer::Restart => Box::pin(service_restart::run(work, self.places.clone())),
            // It ends in another boot of the machine, which is not for a handler to see.
            Doer::Reboot => Box::pin(std::future::pending()),
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
    pub(super) async fn insist<T, F>(&self, what: &str, mut attempt: impl FnMut() -> F) -> Option<T>
    where
        F: Future<Output = Result<T, LedgerError>>,
    {
        let mut failures = 0;
        loop {
            let error = match attempt().await {
                Ok(value) => return Some(value),
                Err(error) => error,
            };
            failures += 1;
            let wait = LEDGER_BACKOFF.wait(failures, self.entropy.draw());
            tracing::error!(%error, wait_ms = wait.0, "could not {what}; it will be tried again");
            tokio::select! {
                () = tokio::time::sleep(wait.to_std()) => {}
                () = self.abandon.cancelled() => return None,
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
