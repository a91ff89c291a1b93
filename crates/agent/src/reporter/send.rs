//! The loop that sends results.
//!
//! A result is given up only on the hub's word: a receipt, or its clear statement that this one
//! request is wrong. Whatever else happens, it is sent again, however long the hub is away.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;

use sortie_client::ClientError;
use sortie_rules::backoff::Backoff;
use sortie_rules::limits::RESULTS_PER_BATCH_MAX;
use sortie_rules::time::Span;
use sortie_wire::results::{Receipt, Receipts};
use tokio_util::sync::CancellationToken;

use super::outbox::{Contents, Outbox};
use crate::clock::Entropy;
use crate::hub::Hub;
use crate::ledger::{Ended, Ledger, LedgerError, RunKey};
use crate::runner::{Board, too_large};

/// Most bytes of results in one request, unless one alone is larger.
const REQUEST_BYTES_MAX: usize = 8 << 20;
/// How the waits between tries grow.
const BACKOFF: Backoff = Backoff { first: Span::seconds(1), cap: Span::seconds(60) };
/// Quiet after which receipts that wait for something else to be written are written by themselves.
const QUIET: Span = Span::seconds(2);

/// The loop that sends results.
#[derive(Debug)]
pub(crate) struct Reporter {
    pub(crate) hub: Arc<Hub>,
    pub(crate) ledger: Ledger,
    pub(crate) board: Arc<Board>,
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) entropy: Entropy,
    /// Rings when the agent ends: what cannot be sent at once is sent after the next start.
    pub(crate) stop: CancellationToken,
}

/// What one request came to.
enum Sent {
    Acknowledged(Receipts),
    /// Too large for the hub or a proxy on the way.
    TooLarge,
    /// The hub says that the request is wrong, not that it is a bad moment.
    Wrong(ClientError),
    /// The agent ends.
    Stopped,
}

impl Reporter {
    /// Sends results until the agent ends.
    pub(crate) async fn run(self) {
        while let Some(batch) = self.next_batch().await {
            if self.report(batch).await.is_break() {
                return;
            }
        }
    }

    async fn next_batch(&self) -> Option<Vec<Ended>> {
        let mut is_flushed = false;
        loop {
            match self.outbox.take(RESULTS_PER_BATCH_MAX, REQUEST_BYTES_MAX) {
                Contents::Here(batch) => return Some(batch),
                Contents::InLedger => match self.read().await {
                    Ok(batch) if !batch.is_empty() => return Some(batch),
                    Ok(_) => {}
                    Err(error) => {
                        tracing::error!(%error, "the unreported results cannot be read; it will be tried again");
                        self.outbox.look_again();
                        self.pause(BACKOFF.wait(6, self.entropy.draw())).await;
                    }
                },
                Contents::Nothing if self.stop.is_cancelled() => return None,
                Contents::Nothing => tokio::select! {
                    () = self.outbox.rung() => {}
                    () = self.stop.cancelled() => {}
                    () = tokio::time::sleep(QUIET.to_std()), if !is_flushed => {
                        is_flushed = true;
                        let _closed_only_at_the_end = self.ledger.flush().await;
                    }
                },
            }
        }
    }

    async fn read(&self) -> Result<Vec<Ended>, LedgerError> {
        let batch = self.ledger.unreported(RESULTS_PER_BATCH_MAX, REQUEST_BYTES_MAX).await?;
        if !batch.is_empty() {
            self.outbox.look_again(); // There may be more than these.
        }
        Ok(batch)
    }

    async fn report(&self, batch: Vec<Ended>) -> ControlFlow<()> {
        match self.send(&batch).await {
            Sent::TooLarge | Sent::Wrong(_) if batch.len() > 1 => {
                // One of them is at fault: the others must not wait behind it.
                for one in batch {
                    let sent = self.send(std::slice::from_ref(&one)).await;
                    self.settle(&[one], sent).await?;
                }
                ControlFlow::Continue(())
            }
            sent => self.settle(&batch, sent).await,
        }
    }

    async fn settle(&self, batch: &[Ended], sent: Sent) -> ControlFlow<()> {
        match sent {
            Sent::Acknowledged(receipts) => self.acknowledge(batch, receipts).await,
            Sent::TooLarge => self.shrink(&batch[0]).await,
            Sent::Wrong(error) => self.close(batch[0].run, &error.to_string()).await,
            Sent::Stopped => return ControlFlow::Break(()),
        }
        ControlFlow::Continue(())
    }

    /// One result that nobody on the way lets through: the task failed by it.
    async fn shrink(&self, ended: &Ended) {
        let run = ended.run;
        let Some(smaller) = too_large(ended).filter(|smaller| smaller.result.len() < ended.result.len()) else {
            return self.close(run, "not even its failure is small enough").await;
        };
        tracing::warn!(task = %run.task, bytes = ended.result.len(), "a result is too large to be reported");
        match self.ledger.finish(smaller.clone()).await {
            Ok(()) => self.outbox.push(smaller),
            Err(_) => self.outbox.look_again(),
        }
    }

    async fn close(&self, run: RunKey, why: &str) {
        tracing::error!(task = %run.task, run = run.run, why, "the hub refuses a result for good");
        self.done(vec![run]).await;
    }

    async fn acknowledge(&self, batch: &[Ended], receipts: Receipts) {
        let sent: BTreeSet<RunKey> = batch.iter().map(|ended| ended.run).collect();
        let mut acknowledged = Vec::with_capacity(batch.len());
        for Receipt { task, run, refused } in receipts.receipts {
            let run = RunKey { task, run };
            if !sent.contains(&run) {
                continue;
            }
            if let Some(problem) = refused {
                let code = problem.code.as_str();
                let why = problem.detail;
                tracing::warn!(task = %task, run = run.run, code, why, "the hub refuses a result for good");
            }
            acknowledged.push(run);
        }
        if acknowledged.len() < sent.len() {
            tracing::warn!("the hub acknowledged {} of {} results", acknowledged.len(), batch.len());
            self.pause(BACKOFF.wait(1, self.entropy.draw())).await;
            self.outbox.look_again();
        }
        self.done(acknowledged).await;
    }

    async fn done(&self, runs: Vec<RunKey>) {
        self.board.reported(&runs);
        if let Err(error) = self.ledger.reported(runs).await {
            tracing::error!(%error, "receipts could not be noted; the results will be sent once more");
        }
    }

    /// Sends until there is an answer that settles it.
    async fn send(&self, batch: &[Ended]) -> Sent {
        let mut failures = 0;
        loop {
            let error = match self.hub.line().results_json(self.hub.node(), written(batch)).await {
                Ok(receipts) => return Sent::Acknowledged(receipts),
                Err(error) => error,
            };
            match status(&error) {
                Some(413) => return Sent::TooLarge,
                Some(400 | 415 | 422) if error.problem().is_some() => return Sent::Wrong(error),
                _ => {}
            }
            if self.stop.is_cancelled() {
                return Sent::Stopped;
            }
            failures += 1;
            let wait = BACKOFF.wait(failures, self.entropy.draw());
            let wait = error.retry_after().map_or(wait, |asked| asked.max(wait));
            let results = batch.len();
            tracing::warn!(%error, results, wait_ms = wait.0, "results could not be reported; they will be sent again");
            self.pause(wait).await;
        }
    }

    async fn pause(&self, wait: Span) {
        tokio::select! {
            () = tokio::time::sleep(wait.to_std()) => {}
            () = self.stop.cancelled() => {}
        }
    }
}

/// A `ResultBatch`, put together from results that are JSON already.
fn written(batch: &[Ended]) -> Vec<u8> {
    let bytes: usize = batch.iter().map(|ended| ended.result.len() + 1).sum();
    let mut json = Vec::with_capacity(bytes + 16);
    json.extend_from_slice(b"{\"results\":[");
    for (index, ended) in batch.iter().enumerate() {
        if index > 0 {
            json.push(b',');
        }
        json.extend_from_slice(&ended.result);
    }
    json.extend_from_slice(b"]}");
    json
}

fn status(error: &ClientError) -> Option<u16> {
    match error {
        ClientError::Problem { problem, .. } => Some(problem.status),
        ClientError::NotSortie { status, .. } => Some(*status),
        _ => None,
    }
}
