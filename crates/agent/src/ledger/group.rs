//! Many requests, one transaction, one flush to disk, and then all the answers.

use rusqlite::Connection;
use sortie_rules::ids::TaskId;
use sortie_rules::time::Millis;
use sortie_wire::events::SendEvents;
use sortie_wire::refusals::RefusedDeliveries;
use tokio::sync::oneshot;

use super::accept::{Incoming, Taken, accept};
use super::begin::begin;
use super::error::LedgerError;
use super::finish::{Ended, finish};
use super::keep_time::keep_time;
use super::nonce::claim;
use super::prune::prune;
use super::reboot::{BeginReboot, begin_reboot};
use super::refuse::{Refused, refuse, told, untold};
use super::report::{reported, want_all};
use super::row::RunKey;
use super::tell::{BackupReport, taken, tell_backup, untaken};
use super::unreported::unreported;
use super::withdraw::withdraw;
use crate::operations::Borne;

/// Where the answer to a request goes.
pub(super) type Reply<T> = oneshot::Sender<Result<T, LedgerError>>;

/// What can be asked of the ledger.
#[derive(Debug)]
pub(super) enum Request {
    Accept {
        incoming: Incoming,
        now: Millis,
        reply: Reply<Taken>,
    },
    KeepTime {
        at: Millis,
        reply: Reply<()>,
    },
    Begin {
        run: RunKey,
        reply: Reply<()>,
    },
    BeginReboot {
        begin: BeginReboot,
        reply: Reply<()>,
    },
    Claim {
        borne: Borne,
        reply: Reply<TaskId>,
    },
    Finish {
        ended: Ended,
        reply: Reply<()>,
    },
    Withdraw {
        run: RunKey,
        attempt: u32,
        reply: Reply<bool>,
    },
    /// Receipts. They are written with whatever is written next: if a crash loses them, the results
    /// are sent once more, which harms nobody.
    Reported {
        runs: Vec<RunKey>,
    },
    Refuse {
        refused: Refused,
        now: Millis,
        reply: Reply<u64>,
    },
    Untold {
        reply: Reply<Vec<RefusedDeliveries>>,
    },
    Told {
        told: Vec<(String, u64)>,
        reply: Reply<()>,
    },
    TellBackup {
        report: BackupReport,
        reply: Reply<usize>,
    },
    Untaken {
        limit: usize,
        reply: Reply<Option<SendEvents>>,
    },
    Taken {
        until: u64,
        reply: Reply<()>,
    },
    WantAll {
        reply: Reply<()>,
    },
    Unreported {
        rows: usize,
        bytes: usize,
        reply: Reply<Vec<Ended>>,
    },
    Prune {
        after: Option<TaskId>,
        now: Millis,
        reply: Reply<Option<TaskId>>,
    },
    /// Writes the receipts that wait.
    Flush,
}

impl Request {
    /// About how many rows it writes.
    pub(super) fn rows(&self) -> usize {
        match self {
            Request::Accept { incoming, .. } => incoming.tasks.len(),
            Request::Reported { runs } => runs.len(),
            _ => 1,
        }
    }
}

/// What is left to do when the transaction has been committed, or could not be.
type Answer = Box<dyn FnOnce(Result<(), LedgerError>)>;

/// Does all of `requests` in one transaction, with the receipts that wait, and answers them. Says
/// whether it was committed; if not, every one of them was answered with the reason.
pub(super) fn commit(connection: &Connection, requests: &mut Vec<Request>, receipts: &mut Vec<RunKey>) -> bool {
    let mut answers: Vec<Answer> = Vec::with_capacity(requests.len());
    let outcome = attempt(connection, requests, receipts, &mut answers);
    if let Err(error) = &outcome {
        tracing::error!(%error, "the ledger could not be written");
        // The transaction may be gone already: a full disk ends it.
        let _already_ended = connection.execute_batch("rollback");
        requests.drain(..).for_each(|request| answers.push(not_tried(request)));
    } else {
        receipts.clear();
    }
    let committed = outcome.is_ok();
    answers.into_iter().for_each(|answer| answer(outcome.clone()));
    committed
}

fn attempt(
    connection: &Connection,
    requests: &mut Vec<Request>,
    receipts: &[RunKey],
    answers: &mut Vec<Answer>,
) -> Result<(), LedgerError> {
    connection.prepare_cached("begin immediate")?.execute([])?;
    for run in receipts {
        reported(connection, *run)?;
    }
    for request in requests.drain(..) {
        let (answer, done) = perform(connection, request);
        answers.push(answer);
        done?;
    }
    connection.prepare_cached("commit")?.execute([])?;
    Ok(())
}

fn perform(connection: &Connection, request: Request) -> (Answer, rusqlite::Result<()>) {
    match request {
        Request::Accept { incoming, now, reply } => answer(reply, accept(connection, incoming, now)),
        Request::KeepTime { at, reply } => answer(reply, keep_time(connection, at)),
        Request::Begin { run, reply } => answer(reply, begin(connection, run)),
        Request::BeginReboot { begin, reply } => answer(reply, begin_reboot(connection, &begin)),
        Request::Claim { borne, reply } => answer(reply, claim(connection, &borne)),
        Request::Finish { ended, reply } => answer(reply, finish(connection, &ended)),
        Request::Withdraw { run, attempt, reply } => answer(reply, withdraw(connection, run, attempt)),
        Request::Refuse { refused, now, reply } => answer(reply, refuse(connection, &refused, now)),
        Request::Untold { reply } => answer(reply, untold(connection)),
        Request::Told { told: all, reply } => answer(reply, told(connection, &all)),
        Request::TellBackup { report, reply } => answer(reply, tell_backup(connection, &report)),
        Request::Untaken { limit, reply } => answer(reply, untaken(connection, limit)),
        Request::Taken { until, reply } => answer(reply, taken(connection, until)),
        Request::WantAll { reply } => answer(reply, want_all(connection)),
        Request::Unreported { rows, bytes, reply } => answer(reply, unreported(connection, rows, bytes)),
        Request::Prune { after, now, reply } => answer(reply, prune(connection, after, now)),
        Request::Reported { .. } | Request::Flush => (Box::new(|_| ()), Ok(())),
    }
}

/// The answer is given only after the commit; a failure of one fails the whole group.
fn answer<T: 'static>(reply: Reply<T>, done: rusqlite::Result<T>) -> (Answer, rusqlite::Result<()>) {
    // Whoever asked may have stopped listening; what was done stays done.
    match done {
        Ok(value) => (Box::new(move |committed| drop(reply.send(committed.map(|()| value)))), Ok(())),
        Err(error) => (Box::new(move |outcome| drop(outcome.map_err(|error| reply.send(Err(error))))), Err(error)),
    }
}

/// The answer to a request that was not even tried.
fn not_tried(request: Request) -> Answer {
    fn with<T: 'static>(reply: Reply<T>) -> Answer {
        Box::new(move |outcome| drop(outcome.map_err(|error| reply.send(Err(error)))))
    }
    match request {
        Request::Accept { reply, .. } => with(reply),
        Request::Begin { reply, .. } | Request::Finish { reply, .. } | Request::WantAll { reply } => with(reply),
        Request::BeginReboot { reply, .. } | Request::KeepTime { reply, .. } => with(reply),
        Request::Refuse { reply, .. } => with(reply),
        Request::Untold { reply } => with(reply),
        Request::Told { reply, .. } | Request::Taken { reply, .. } => with(reply),
        Request::TellBackup { reply, .. } => with(reply),
        Request::Untaken { reply, .. } => with(reply),
        Request::Withdraw { reply, .. } => with(reply),
        Request::Claim { reply, .. } => with(reply),
        Request::Unreported { reply, .. } => with(reply),
        Request::Prune { reply, .. } => with(reply),
        Request::Reported { .. } | Request::Flush => Box::new(|_| ()),
    }
}
