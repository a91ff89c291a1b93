//! The one thread that writes: group commit.
//!
//! It takes whatever is queued, runs each job in a savepoint of one transaction, commits once (one
//! fsync for all), and only then answers. A lone job does not wait for company. A job that fails
//! undoes itself and not its neighbours. If the transaction itself is lost, every job of the group
//! fails, whether it ran before or would have run after.

use tokio::sync::mpsc;
use tracing::{error, warn};

use super::job::Job;
use crate::errors::StoreError;
use crate::tx::Tx;

/// Most jobs in one commit: bounds how long the first of a group waits for the last.
pub(super) const GROUP_MAX: usize = 1000;
/// Most jobs that may wait; callers beyond that wait for room.
pub(super) const QUEUE_MAX: usize = 4096;

/// What the writer is asked for.
pub(super) enum Order {
    /// Run this.
    Run(Box<dyn Job>),
    /// Take nothing new, finish what is queued, and end.
    Close,
}

/// Works until everyone who could give orders is gone, or until told to close.
pub(super) fn work(mut tx: Tx, mut orders: mpsc::Receiver<Order>) {
    let mut taken = Vec::with_capacity(GROUP_MAX);
    let mut group: Vec<Box<dyn Job>> = Vec::with_capacity(GROUP_MAX);
    while orders.blocking_recv_many(&mut taken, GROUP_MAX) > 0 {
        for order in taken.drain(..) {
            match order {
                Order::Run(job) => group.push(job),
                Order::Close => orders.close(),
            }
        }
        let outcome = commit_group(&mut tx, &mut group);
        for job in group.drain(..) {
            job.answer(&outcome);
        }
    }
    // Leaves a database in one file, without a WAL to replay.
    if let Err(why) = tx.sqlite().batch("pragma optimize; pragma wal_checkpoint(truncate)") {
        warn!(%why, "the database could not be tidied at the end; its WAL is replayed at the next start");
    }
}

fn commit_group(tx: &mut Tx, group: &mut [Box<dyn Job>]) -> Result<(), StoreError> {
    let outcome = match &mut *group {
        [] => Ok(()),
        [job] => run_alone(tx, &mut **job),
        jobs => run_together(tx, jobs),
    };
    if let Err(why) = &outcome {
        error!(jobs = group.len(), %why, "a group of writes was lost; its callers are told");
        if tx.sqlite().in_transaction() {
            // The only way on is a transaction that is gone; if even this fails, the next group's
            // `begin` says so to its callers.
            let _ = run(tx, "rollback");
        }
    }
    outcome
}

// Both begin with `immediate`: a transaction that reads first and writes later could be refused in
// the middle.

fn run_alone(tx: &mut Tx, job: &mut dyn Job) -> Result<(), StoreError> {
    run(tx, "begin immediate")?;
    let keep = job.run(tx);
    tx.sqlite().check_transaction()?;
    run(tx, if keep { "commit" } else { "rollback" })
}

fn run_together(tx: &mut Tx, jobs: &mut [Box<dyn Job>]) -> Result<(), StoreError> {
    run(tx, "begin immediate")?;
    for job in jobs {
        run(tx, "savepoint job")?;
        let keep = job.run(tx);
        tx.sqlite().check_transaction()?;
        if !keep {
            run(tx, "rollback to job")?;
        }
        run(tx, "release job")?;
    }
    run(tx, "commit")
}

fn run(tx: &mut Tx, sql: &'static str) -> Result<(), StoreError> {
    tx.sqlite().execute(sql, &[]).map(drop)
}
