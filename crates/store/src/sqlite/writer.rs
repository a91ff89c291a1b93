//! The one thread that writes: group commit.
//!
//! It takes whatever is queued, runs each job in a savepoint of one transaction, and commits once. The
//! jobs are answered when the commit is on disk: by the `flusher`, while the next group runs here, or
//! by the writer itself where nothing else waits. A lone job does not wait for company. A job that fails
//! undoes itself and not its neighbours; only jobs that refuse before they write go without savepoint.
//! If the transaction itself is lost, every job of the group fails, whether it ran before or would have
//! run after.

use tokio::sync::mpsc;
use tracing::{error, info, warn};

use super::flusher::{Ran, Wal, answer};
use super::job::{Job, finish_at_once};
use crate::audit;
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
pub(super) fn work(mut tx: Tx, mut orders: mpsc::Receiver<Order>, wal: &Wal, flusher: &mpsc::Sender<Ran>) {
    let mut taken = Vec::with_capacity(GROUP_MAX);
    while orders.blocking_recv_many(&mut taken, GROUP_MAX) > 0 {
        let mut jobs: Vec<Box<dyn Job>> = Vec::with_capacity(taken.len());
        for order in taken.drain(..) {
            match order {
                Order::Run(job) => jobs.push(job),
                Order::Close => orders.close(),
            }
        }
        let outcome = repair(&mut tx, wal).and_then(|()| commit_group(&mut tx, &mut jobs, wal));
        let ran = Ran { jobs, outcome, writes: true };
        if ran.outcome.is_err() || orders.is_empty() {
            let flushed = if ran.outcome.is_ok() { wal.flush() } else { Ok(()) };
            answer(ran, &flushed);
        } else if let Err(mpsc::error::SendError(ran)) = flusher.blocking_send(ran) {
            answer(ran, &wal.flush());
        }
    }
    // Leaves a database in one file, without a WAL to replay.
    if let Err(why) = tx.sqlite().batch("pragma optimize; pragma wal_checkpoint(truncate)") {
        warn!(%why, "the database could not be tidied at the end; its WAL is replayed at the next start");
    }
}

/// After a flush that failed: copies the whole WAL into the database and flushes that, so that it is
/// known again what is on disk. Until this succeeds nothing is written.
fn repair(tx: &mut Tx, wal: &Wal) -> Result<(), StoreError> {
    if !wal.is_broken() {
        return Ok(());
    }
    tx.sqlite().copy_whole_wal()?;
    wal.repaired();
    info!("the database has been flushed to disk by another way; writes are taken again");
    Ok(())
}

fn commit_group(tx: &mut Tx, group: &mut [Box<dyn Job>], wal: &Wal) -> Result<(), StoreError> {
    // What an earlier group handed in and could not commit is not of this one.
    tx.keep_entries(0);
    let outcome = match &mut *group {
        [] => Ok(()),
        [job] => run_alone(tx, &mut **job, wal),
        jobs => run_together(tx, jobs, wal),
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

fn run_alone(tx: &mut Tx, job: &mut dyn Job, wal: &Wal) -> Result<(), StoreError> {
    let before = begin(tx)?;
    let keep = job.run(tx);
    tx.sqlite().check_transaction()?;
    if keep { commit(tx, wal, before) } else { run(tx, "rollback") }
}

fn run_together(tx: &mut Tx, jobs: &mut [Box<dyn Job>], wal: &Wal) -> Result<(), StoreError> {
    let before = begin(tx)?;
    for job in jobs {
        if job.is_checked() {
            run_unprotected(tx, &mut **job)?;
            continue;
        }
        run(tx, "savepoint job")?;
        let handed_in = tx.handed_in();
        let keep = job.run(tx);
        tx.sqlite().check_transaction()?;
        if !keep {
            tx.keep_entries(handed_in);
            run(tx, "rollback to job")?;
        }
        run(tx, "release job")?;
    }
    commit(tx, wal, before)
}

/// Begins the transaction of a group. Returns how many rows were changed before it.
fn begin(tx: &mut Tx) -> Result<u64, StoreError> {
    run(tx, "begin immediate")?;
    Ok(tx.sqlite().changes())
}

/// Appends what the group tells the audit log, and commits. A group that has changed no row has written nothing (the
/// schema changes only before the writer works), and there is nothing to flush for it.
fn commit(tx: &mut Tx, wal: &Wal, before: u64) -> Result<(), StoreError> {
    let entries = tx.take_entries();
    if !entries.is_empty() {
        let sealed = finish_at_once(Box::pin(audit::seal(tx, entries)));
        tx.take_failure();
        tx.sqlite().check_transaction()?;
        sealed?;
    }
    if tx.sqlite().changes() == before {
        return run(tx, "commit");
    }
    wal.commit_begins();
    let committed = run(tx, "commit");
    wal.commit_ended();
    committed
}

/// Without a savepoint, for which SQLite would copy every page that the job touches. A job that failed
/// without having written leaves nothing to undo; one that failed later takes the group with it.
fn run_unprotected(tx: &mut Tx, job: &mut dyn Job) -> Result<(), StoreError> {
    let (before, handed_in) = (tx.sqlite().changes(), tx.handed_in());
    let keep = job.run(tx);
    tx.sqlite().check_transaction()?;
    if keep {
        return Ok(());
    }
    if tx.sqlite().changes() == before {
        tx.keep_entries(handed_in);
        return Ok(());
    }
    Err(StoreError::Unavailable { why: "another write of the same commit failed half-way; try again".to_owned() })
}

fn run(tx: &mut Tx, sql: &'static str) -> Result<(), StoreError> {
    tx.sqlite().execute(sql, &[]).map(drop)
}

#[cfg(test)]
mod tests {
    use super::super::job::job;
    use super::super::pragmas::open_writer;
    use super::*;

    #[test]
    fn a_group_that_changes_nothing_has_nothing_to_flush() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("sortie.db");
        let mut tx = Tx::on_sqlite(open_writer(&file).unwrap(), true);
        tx.sqlite().batch("create table t (n integer)").unwrap();
        let wal = Wal::of(&file).unwrap();
        let mut is_flushed_after = |statements: &[&'static str]| {
            let jobs = statements.iter().map(|sql| {
                let sql = *sql;
                job::<_, u64, StoreError>(move |tx| Box::pin(async move { tx.execute(sql, &[]).await }), false).0
            });
            let mut jobs: Vec<_> = jobs.collect();
            commit_group(&mut tx, &mut jobs, &wal).unwrap();
            let is_flushed = wal.is_flushed();
            wal.flush().unwrap();
            is_flushed
        };
        assert!(is_flushed_after(&["delete from t"]));
        assert!(is_flushed_after(&["delete from t", "update t set n = 1"]));
        assert!(!is_flushed_after(&["insert into t values (1)"]));
        assert!(!is_flushed_after(&["delete from t where n = 7", "update t set n = 2"]));
        assert!(is_flushed_after(&["update t set n = 3 where n = 7"]));
    }
}
