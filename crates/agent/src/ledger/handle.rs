//! The handle of the ledger. What returns without an error is on disk.

use sortie_rules::ids::TaskId;
use sortie_rules::time::Millis;
use sortie_wire::events::SendEvents;
use sortie_wire::refusals::RefusedDeliveries;
use tokio::sync::{mpsc, oneshot};

use super::accept::{Incoming, Taken};
use super::error::LedgerError;
use super::finish::Ended;
use super::group::{Reply, Request};
use super::reboot::BeginReboot;
use super::refuse::Refused;
use super::row::RunKey;
use super::tell::BackupReport;
use crate::operations::Borne;

/// The handle of the ledger. Cheap to clone; the file is closed when the last one is dropped.
#[derive(Debug, Clone)]
pub(crate) struct Ledger {
    requests: mpsc::Sender<Request>,
}

impl Ledger {
    pub(super) fn new(requests: mpsc::Sender<Request>) -> Ledger {
        Ledger { requests }
    }

    /// Takes a delivery: its new runs and its number, together; or refuses it, which is written down.
    pub(crate) async fn accept(&self, incoming: Incoming, now: Millis) -> Result<Taken, LedgerError> {
        self.ask(|reply| Request::Accept { incoming, now, reply }).await
    }

    /// Counts a delivery that was refused. Answers how many there were for this reason.
    pub(crate) async fn refuse(&self, refused: Refused, now: Millis) -> Result<u64, LedgerError> {
        self.ask(|reply| Request::Refuse { refused, now, reply }).await
    }

    /// All refusals by reason, if there are any that the hub has not been told of.
    pub(crate) async fn untold(&self) -> Result<Vec<RefusedDeliveries>, LedgerError> {
        self.ask(|reply| Request::Untold { reply }).await
    }

    /// Writes down that the hub was told of so many refusals for each of these reasons.
    pub(crate) async fn told(&self, told: Vec<(String, u64)>) -> Result<(), LedgerError> {
        self.ask(|reply| Request::Told { told, reply }).await
    }

    /// Writes down the latest time that the hub has signed.
    pub(crate) async fn keep_time(&self, at: Millis) -> Result<(), LedgerError> {
        self.ask(|reply| Request::KeepTime { at, reply }).await
    }

    /// Writes down that a run begins.
    pub(crate) async fn begin(&self, run: RunKey) -> Result<(), LedgerError> {
        self.ask(|reply| Request::Begin { run, reply }).await
    }

    /// Writes down that a run begins which reboots the machine, and in which boot.
    pub(crate) async fn begin_reboot(&self, begin: BeginReboot) -> Result<(), LedgerError> {
        self.ask(|reply| Request::BeginReboot { begin, reply }).await
    }

    /// Takes a nonce for an operation, unless another has it. Says whose it is.
    pub(crate) async fn claim(&self, borne: Borne) -> Result<TaskId, LedgerError> {
        self.ask(|reply| Request::Claim { borne, reply }).await
    }

    /// Writes down how a run ended.
    pub(crate) async fn finish(&self, ended: Ended) -> Result<(), LedgerError> {
        self.ask(|reply| Request::Finish { ended, reply }).await
    }

    /// Forgets a run that has not begun, unless a newer attempt than `attempt` has come. Says
    /// whether it was forgotten.
    pub(crate) async fn withdraw(&self, run: RunKey, attempt: u32) -> Result<bool, LedgerError> {
        self.ask(|reply| Request::Withdraw { run, attempt, reply }).await
    }

    /// Notes receipts, to be written with whatever is written next.
    pub(crate) async fn reported(&self, runs: Vec<RunKey>) -> Result<(), LedgerError> {
        self.requests.send(Request::Reported { runs }).await.map_err(|_| LedgerError::Closed)
    }

    /// Writes the receipts that wait for something else to be written.
    pub(crate) async fn flush(&self) -> Result<(), LedgerError> {
        self.requests.send(Request::Flush).await.map_err(|_| LedgerError::Closed)
    }

    /// Counts every result that is still here as unreported.
    pub(crate) async fn want_all(&self) -> Result<(), LedgerError> {
        self.ask(|reply| Request::WantAll { reply }).await
    }

    /// Results that wait for a receipt, oldest first: at most `rows`, and after the first no more
    /// than fit into `bytes`.
    pub(crate) async fn unreported(&self, rows: usize, bytes: usize) -> Result<Vec<Ended>, LedgerError> {
        self.ask(|reply| Request::Unreported { rows, bytes, reply }).await
    }

    /// Keeps what a report of a backup has to tell as events. Says how much that was.
    pub(crate) async fn tell_backup(&self, report: BackupReport) -> Result<usize, LedgerError> {
        self.ask(|reply| Request::TellBackup { report, reply }).await
    }

    /// The oldest events that the hub has not taken, at most so many.
    pub(crate) async fn untaken(&self, limit: usize) -> Result<Option<SendEvents>, LedgerError> {
        self.ask(|reply| Request::Untaken { limit, reply }).await
    }

    /// Forgets events up to this number: the hub has taken them.
    pub(crate) async fn taken(&self, until: u64) -> Result<(), LedgerError> {
        self.ask(|reply| Request::Taken { until, reply }).await
    }

    /// One step of forgetting; says where the next goes on.
    pub(crate) async fn prune(&self, after: Option<TaskId>, now: Millis) -> Result<Option<TaskId>, LedgerError> {
        self.ask(|reply| Request::Prune { after, now, reply }).await
    }

    async fn ask<T>(&self, request: impl FnOnce(Reply<T>) -> Request) -> Result<T, LedgerError> {
        let (reply, answer) = oneshot::channel();
        self.requests.send(request(reply)).await.map_err(|_| LedgerError::Closed)?;
        answer.await.map_err(|_| LedgerError::Closed)?
    }
}
