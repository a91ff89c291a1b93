//! The threads that read: each has a connection of its own and never waits for the writer.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;

use super::flusher::{Ran, Wal, answer};
use super::job::Job;
use crate::errors::StoreError;
use crate::tx::Tx;

/// Most reads that may wait; callers beyond that wait for room.
pub(super) const QUEUE_MAX: usize = 4096;

/// The queue that the readers share: whoever is free holds it and takes the next.
pub(super) type Queue = Arc<Mutex<mpsc::Receiver<Box<dyn Job>>>>;

/// Works until everyone who could ask is gone.
pub(super) fn work(mut tx: Tx, queue: &Queue, wal: &Wal, flusher: &mpsc::Sender<Ran>) {
    loop {
        // No verb runs under the lock, so it is never poisoned by one.
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).blocking_recv();
        let Some(mut job) = next else { return };
        let outcome = read(&mut tx, &mut *job);
        if wal.is_flushed() {
            job.answer(&outcome);
            continue;
        }
        // It may have seen what is not on disk yet.
        if let Err(mpsc::error::SendError(ran)) = flusher.blocking_send(Ran { jobs: vec![job], outcome, writes: false })
        {
            answer(ran, &wal.flush());
        }
    }
}

/// Everything that one verb reads, it reads from one state of the database.
fn read(tx: &mut Tx, job: &mut dyn Job) -> Result<(), StoreError> {
    tx.sqlite().execute("begin", &[])?;
    job.run(tx);
    tx.sqlite().check_transaction()?;
    tx.sqlite().execute("rollback", &[]).map(drop)
}
