//! The loop that sends logs. It runs apart from results and heartbeats, so that a chatty task delays
//! neither, and rereads the desk at each turn.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sortie_client::ClientError;
use sortie_rules::backoff::Backoff;
use sortie_rules::limits::{LOG_BATCH_BYTES_MAX, LOG_PIECE_BYTES_MAX, LOG_PIECES_MAX};
use sortie_rules::time::Span;
use sortie_wire::logs::{LogBatch, LogPiece, LogReceipt};
use tokio_util::sync::CancellationToken;

use super::desk::{Desk, Kept};
use crate::clock::Entropy;
use crate::hub::Hub;
use crate::ledger::RunKey;

/// How long lines are gathered before they are sent together.
const GATHER: Duration = Duration::from_millis(200);
/// How the waits between tries grow.
const BACKOFF: Backoff = Backoff { first: Span::seconds(1), cap: Span::seconds(60) };

/// The loop that sends logs.
#[derive(Debug)]
pub(crate) struct Shipper {
    pub(crate) hub: Arc<Hub>,
    pub(crate) desk: Arc<Desk>,
    pub(crate) entropy: Entropy,
    /// Rings when the agent ends: what is not sent is sent after the next start.
    pub(crate) stop: CancellationToken,
}

impl Shipper {
    /// Sends logs until the agent ends.
    pub(crate) async fn run(self) {
        let (mut failures, mut last) = (0, None);
        loop {
            match self.send_once(&mut last).await {
                Ok(true) => failures = 0,
                Ok(false) if self.stop.is_cancelled() => return,
                Ok(false) => {
                    failures = 0;
                    tokio::select! {
                        () = self.desk.bell.notified() => {}
                        () = self.stop.cancelled() => continue,
                    }
                    tokio::select! {
                        () = tokio::time::sleep(GATHER) => {}
                        () = self.stop.cancelled() => {}
                    }
                }
                Err(_) if self.stop.is_cancelled() => return,
                Err(error) => {
                    failures += 1;
                    let wait = BACKOFF.wait(failures, self.entropy.draw());
                    let wait = error.retry_after().map_or(wait, |asked| asked.max(wait));
                    tracing::debug!(%error, wait_ms = wait.0, "logs could not be sent; they will be sent again");
                    tokio::select! {
                        () = tokio::time::sleep(wait.to_std()) => {}
                        () = self.stop.cancelled() => {}
                    }
                }
            }
        }
    }

    /// Sends what fits into one request, beginning after the log that came `last`. `false` if there was
    /// nothing to send.
    async fn send_once(&self, last: &mut Option<RunKey>) -> Result<bool, ClientError> {
        let (batch, runs) = self.batch(*last);
        *last = runs.last().map(|(run, _)| *run);
        if batch.pieces.is_empty() {
            return Ok(false);
        }
        match self.hub.line().logs(self.hub.node(), &batch).await {
            Ok(answer) => {
                for (receipt, (run, kept, piece)) in answer
                    .receipts
                    .iter()
                    .zip(runs.iter().zip(&batch.pieces).map(|((run, kept), piece)| (run, kept, piece)))
                {
                    self.settle(*run, kept, piece, receipt);
                }
                Ok(true)
            }
            // The hub is older than logs, or calls the whole request wrong: these would never be taken.
            Err(error) if is_final(&error) => {
                tracing::warn!(%error, "the hub does not take these logs");
                runs.iter().for_each(|(run, _)| self.desk.forget(*run));
                Ok(true)
            }
            Err(error) => Err(error),
        }
    }

    fn batch(&self, last: Option<RunKey>) -> (LogBatch, Vec<(RunKey, Kept)>) {
        let (mut pieces, mut runs, mut room) = (Vec::new(), Vec::new(), LOG_BATCH_BYTES_MAX);
        for (run, kept) in self.desk.all_after(last) {
            if room == 0 || pieces.len() == LOG_PIECES_MAX {
                self.desk.bell.notify_one(); // The rest comes with the next request.
                break;
            }
            let (bytes, progress, has_ended) = kept.log.news(kept.sent, room.min(LOG_PIECE_BYTES_MAX));
            if bytes.is_empty() && progress.is_none() {
                if has_ended && kept.log.was_sent(kept.sent, None) {
                    self.desk.forget(run);
                }
                continue;
            }
            room -= bytes.len();
            let data = STANDARD.encode(bytes);
            pieces.push(LogPiece { task: run.task, run: run.run, offset: kept.sent, data, progress });
            runs.push((run, kept));
        }
        (LogBatch { pieces }, runs)
    }

    fn settle(&self, run: RunKey, kept: &Kept, piece: &LogPiece, receipt: &LogReceipt) {
        if let Some(problem) = &receipt.refused {
            tracing::debug!(task = %run.task, run = run.run, code = problem.code.as_str(), "the hub refuses a log");
            self.desk.forget(run);
        } else {
            self.desk.sent(run, receipt.next);
            if kept.log.was_sent(receipt.next, piece.progress.as_ref()) {
                self.desk.forget(run);
            }
        }
    }
}

fn is_final(error: &ClientError) -> bool {
    error.problem().is_some_and(|problem| matches!(problem.status, 400 | 404 | 405 | 413 | 415 | 422))
}
