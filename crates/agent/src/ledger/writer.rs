//! The thread that owns the ledger's file.

use std::path::Path;
use std::thread;

use rusqlite::Connection;
use sortie_rules::ids::{BootId, Id};
use sortie_rules::time::Millis;
use tokio::sync::mpsc;
use uuid::Uuid;

use super::error::LedgerError;
use super::file;
use super::group::{Request, commit};
use super::handle::Ledger;
use super::recover::{Recovered, recover};
use super::row::RunKey;

/// Most requests that wait for the thread.
const REQUESTS_MAX: usize = 4096;
/// Most requests in one transaction.
const GROUP_MAX: usize = 1024;
/// Rows written after which the log is moved into the file when nothing waits,
const TIDY_AFTER: usize = 3000;
/// and after which it is moved in any case.
const TIDY_AFTER_MAX: usize = 60_000;
/// Its stack; SQLite needs little.
const STACK_BYTES: usize = 512 * 1024;

/// How far the line to the hub has come, as the ledger knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Line {
    /// The highest delivery on disk.
    pub(crate) acknowledged: u64,
    /// The newest time that the hub has signed; 0 if none was seen.
    pub(crate) hub_time: Millis,
    /// The newest version of the operators of which the hub has told.
    pub(crate) operators_version: u64,
    /// This start.
    pub(crate) boot: BootId,
}

/// The thread. It ends when the last [`Ledger`] handle is dropped.
#[derive(Debug)]
pub(crate) struct WriterThread(thread::JoinHandle<()>);

impl WriterThread {
    /// Opens the ledger and says what it holds. `name` gives this start its id, above that of the last one;
    /// it is on disk before anybody hears it.
    pub(crate) fn start(
        path: &Path,
        name: impl FnOnce(Option<BootId>) -> BootId,
    ) -> Result<(Ledger, WriterThread, Line, Recovered), LedgerError> {
        let connection = file::open(path)?;
        let recovered = recover(&connection)?;
        let line =
            connection.query_row("select acknowledged, hub_time, operators_version, boot from line", [], |row| {
                let acknowledged: i64 = row.get(0)?;
                let operators_version = row.get::<_, i64>(2)?.unsigned_abs();
                let last: Option<Vec<u8>> = row.get(3)?;
                let last = last.and_then(|bytes| Uuid::from_slice(&bytes).ok()).map(Id::from_uuid);
                let (acknowledged, hub_time) = (acknowledged.unsigned_abs(), Millis(row.get(1)?));
                Ok(Line { acknowledged, hub_time, operators_version, boot: name(last) })
            })?;
        connection.execute("update line set boot = ?1", [line.boot.uuid().as_bytes()])?;
        let (requests, inbox) = mpsc::channel(REQUESTS_MAX);
        let thread = thread::Builder::new()
            .name("ledger".to_owned())
            .stack_size(STACK_BYTES)
            .spawn(move || write(&connection, inbox))
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
        Ok((Ledger::new(requests), WriterThread(thread), line, recovered))
    }

    /// Waits until everything that was asked is on disk. Blocks; the handles must be gone.
    pub(crate) fn join(self) {
        if self.0.join().is_err() {
            tracing::error!("the thread of the ledger has panicked");
        }
    }
}

fn write(connection: &Connection, mut inbox: mpsc::Receiver<Request>) {
    let mut receipts: Vec<RunKey> = Vec::new();
    let mut group = Vec::new();
    let mut untidied = 0;
    while let Some(first) = inbox.blocking_recv() {
        group.push(first);
        while group.len() < GROUP_MAX
            && let Ok(next) = inbox.try_recv()
        {
            group.push(next);
        }
        for request in &mut group {
            untidied += request.rows();
            if let Request::Reported { runs } = request {
                receipts.append(runs);
            }
        }
        if group.iter().any(|request| !matches!(request, Request::Reported { .. })) {
            commit(connection, &mut group, &mut receipts);
        }
        group.clear();
        if untidied > TIDY_AFTER_MAX || (untidied > TIDY_AFTER && inbox.is_empty()) {
            tidy(connection);
            untidied = 0;
        }
    }
    if !receipts.is_empty() {
        commit(connection, &mut group, &mut receipts);
    }
}

/// Moves the log into the file, so that it does not grow.
fn tidy(connection: &Connection) {
    if let Err(error) = connection.query_row("pragma wal_checkpoint(passive)", [], |_| Ok(())) {
        tracing::warn!(%error, "the ledger's log could not be moved into its file; it will be tried again");
    }
}
