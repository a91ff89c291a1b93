//! The thread that flushes the WAL and then lets the answers go.
//!
//! Without it the writer would stand still for every flush. With it the next group of writes runs while
//! the last one is on its way to disk, and whatever has piled up meanwhile shares one flush. A read that
//! may have seen what is not flushed yet waits here too: nobody is told what a power cut could take
//! back. Where nothing else waits the writer flushes by itself, since a second thread would only add
//! its waking up.
//!
//! After a flush that failed nobody knows what is on disk. Then every answer is a failure until the
//! writer has copied the whole WAL into the database, and flushed that.

use std::fs::File;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Mutex, PoisonError};

use tokio::sync::mpsc;

use super::job::Job;
use crate::errors::StoreError;

/// Most groups that wait for the flusher; with more, the writer waits.
pub(super) const QUEUE_MAX: usize = 2;

/// Jobs that have run, and what became of their transaction.
pub(super) struct Ran {
    pub(super) jobs: Vec<Box<dyn Job>>,
    pub(super) outcome: Result<(), StoreError>,
    /// Whether it was one that writes.
    pub(super) writes: bool,
}

/// The WAL as far as it is written, and as far as it is on disk.
#[derive(Debug)]
pub(super) struct Wal {
    /// One flush at a time: the system tells only one of two that a write to the disk has failed.
    file: Mutex<File>,
    /// Commits that have begun: what a read may have seen.
    begun: AtomicU64,
    /// Commits that are written: what a flush that begins now brings to disk.
    written: AtomicU64,
    /// Commits that are on disk.
    flushed: AtomicU64,
    /// A flush has failed, and nothing has been made good yet.
    broken: AtomicBool,
}

impl Wal {
    /// The WAL of a database that is open.
    pub(super) fn of(database: &Path) -> std::io::Result<Wal> {
        let mut path = database.as_os_str().to_owned();
        path.push("-wal");
        Ok(Wal::new(File::options().read(true).write(true).open(path)?))
    }

    fn new(file: File) -> Wal {
        let (begun, written, flushed) = Default::default();
        Wal { file: Mutex::new(file), begun, written, flushed, broken: AtomicBool::new(false) }
    }

    /// A commit begins. Only the writer says so.
    pub(super) fn commit_begins(&self) {
        self.begun.fetch_add(1, SeqCst);
    }

    /// The commit that began has ended, well or not.
    pub(super) fn commit_ended(&self) {
        self.written.store(self.begun.load(SeqCst), SeqCst);
    }

    /// Whether all that could have been read until now is on disk.
    pub(super) fn is_flushed(&self) -> bool {
        self.flushed.load(SeqCst) >= self.begun.load(SeqCst)
    }

    /// Whether a flush has failed since the last repair.
    pub(super) fn is_broken(&self) -> bool {
        self.broken.load(SeqCst)
    }

    /// Brings everything that is written to disk.
    pub(super) fn flush(&self) -> Result<(), StoreError> {
        // What has begun may have been seen, even if the writer has not yet said that it is written.
        let wanted = self.begun.load(SeqCst);
        let file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let fault = |why: String| StoreError::Unavailable { why: format!("the disk could not be flushed: {why}") };
        if self.is_broken() {
            return Err(fault("an earlier flush failed".to_owned()));
        }
        if self.flushed.load(SeqCst) >= wanted {
            return Ok(());
        }
        let written = self.written.load(SeqCst);
        if let Err(why) = file.sync_data() {
            self.broken.store(true, SeqCst);
            tracing::error!(%why, "the database could not be flushed to disk; nothing is acknowledged until it can");
            return Err(fault(why.to_string()));
        }
        self.flushed.fetch_max(written, SeqCst);
        Ok(())
    }

    /// All that is written is on disk by another way. Only the writer says so, between two commits.
    pub(super) fn repaired(&self) {
        self.flushed.store(self.written.load(SeqCst), SeqCst);
        self.broken.store(false, SeqCst);
    }
}

/// Flushes and answers until writer and readers have ended.
pub(super) fn work(wal: &Wal, mut waiting: mpsc::Receiver<Ran>) {
    let mut taken = Vec::new();
    while waiting.blocking_recv_many(&mut taken, usize::MAX) > 0 {
        let flushed = wal.flush();
        taken.drain(..).for_each(|ran| answer(ran, &flushed));
    }
}

/// Tells everyone. `flushed` is whether what they did, or saw, is on disk. What was committed and not flushed
/// may be found there all the same.
pub(super) fn answer(ran: Ran, flushed: &Result<(), StoreError>) {
    let unflushed = |error| match error {
        StoreError::Unavailable { why } if ran.writes => StoreError::Unknown { why },
        other => other,
    };
    let outcome = ran.outcome.and_then(|()| flushed.clone().map_err(unflushed));
    ran.jobs.into_iter().for_each(|job| job.answer(&outcome));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_counts_as_flushed_only_after_a_flush_that_began_after_the_commit() {
        let wal = Wal::new(tempfile::tempfile().unwrap());
        assert!(wal.is_flushed());
        wal.commit_begins();
        wal.flush().unwrap();
        assert!(!wal.is_flushed(), "the commit was not written when the flush began");
        wal.commit_ended();
        wal.flush().unwrap();
        assert!(wal.is_flushed());
    }

    #[test]
    fn after_a_flush_that_failed_every_one_fails_until_the_repair() {
        // What is no file cannot be flushed.
        let wal = Wal::new(File::options().write(true).open("/dev/null").unwrap());
        wal.commit_begins();
        wal.commit_ended();
        assert!(matches!(wal.flush(), Err(StoreError::Unavailable { .. })));
        assert!(wal.is_broken() && !wal.is_flushed() && wal.flush().is_err());
        wal.repaired();
        assert!(!wal.is_broken() && wal.is_flushed());
    }
}
