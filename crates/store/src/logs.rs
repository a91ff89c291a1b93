//! `task_logs`, `task_log_archives` and `task_progress`: what handlers wrote while they ran, and how far they were.
//!
//! A log is what was archived of it, and the pieces that follow.

use sortie_rules::ids::{BlobId, OrgId, TaskId};
use sortie_rules::time::Millis;

use crate::errors::StoreError;
use crate::row::Row;
use crate::tasks::first_id_of;
use crate::tx::Tx;
use crate::value::Value;

/// A piece of the log of one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// The byte of the log at which it begins.
    pub first: u64,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// How far a run is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProgressRow {
    /// Which run.
    pub run: u32,
    /// Of what there is to do, from 0 to 100.
    pub percent: Option<u8>,
    /// What it is at.
    pub message: String,
    /// When the handler said so.
    pub at: Millis,
}

/// A log, or its beginning, that lies in a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Archived {
    /// How many bytes of the log.
    pub length: u64,
    /// The blob.
    pub blob: BlobId,
}

/// A run's log that lies in the database and may be archived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ToArchive {
    /// Whose.
    pub org: OrgId,
    /// Of which task.
    pub task: TaskId,
    /// Of which run.
    pub run: u32,
}

/// How many bytes of a run's log are kept: where its next piece begins.
pub async fn length(tx: &mut Tx, task: TaskId, run: u32) -> Result<u64, StoreError> {
    const SQL: &str = "select first + length from task_logs where task = $1 and run = $2 order by first desc limit 1";
    match tx.query_one_or_none(SQL, &[task.into(), run.into()]).await? {
        Some(row) => row.columns("task_logs").number("first"),
        None => Ok(archived(tx, task, run).await?.map_or(0, |archived| archived.length)),
    }
}

/// What is archived of a run's log.
pub async fn archived(tx: &mut Tx, task: TaskId, run: u32) -> Result<Option<Archived>, StoreError> {
    const SQL: &str = "select length, blob from task_log_archives where task = $1 and run = $2";
    let row = tx.query_one_or_none(SQL, &[task.into(), run.into()]).await?;
    row.map(|row| {
        let mut row = row.columns("task_log_archives");
        Ok(Archived { length: row.number("length")?, blob: row.id("blob")? })
    })
    .transpose()
}

/// Up to `limit` runs of tasks that ended before `before` whose logs are not archived, the oldest first.
pub async fn to_archive(tx: &mut Tx, before: Millis, limit: u32) -> Result<Vec<ToArchive>, StoreError> {
    // What ended before then was made before then, and ids sort by the time they were made. What is archived has no
    // first piece any more.
    const SQL: &str = "select l.task, l.run, t.org from task_logs l join tasks t on t.id = l.task
        where l.task < $2 and l.first = 0 and t.finished_at is not null and t.finished_at < $1
        order by l.task, l.run limit $3";
    let rows = tx.query(SQL, &[before.into(), Value::Id(first_id_of(before)), limit.into()]).await?;
    let read = |row: Row| {
        let mut row = row.columns("task_logs");
        Ok(ToArchive { task: row.id("task")?, run: row.number("run")?, org: row.id("org")? })
    };
    rows.into_iter().map(read).collect()
}

/// Writes down that the beginning of a run's log lies in a blob, and deletes its pieces. `false`, and nothing is done,
/// if it was archived before.
pub async fn set_archived(tx: &mut Tx, task: TaskId, run: u32, archived: Archived) -> Result<bool, StoreError> {
    const NOTE: &str = "insert into task_log_archives (task, run, length, blob) values ($1, $2, $3, $4)
        on conflict (task, run) do nothing";
    const DELETE: &str = "delete from task_logs where task = $1 and run = $2 and first < $3";
    let Archived { length, blob } = archived;
    if tx.execute(NOTE, &[task.into(), run.into(), length.into(), blob.into()]).await? == 0 {
        return Ok(false);
    }
    tx.execute(DELETE, &[task.into(), run.into(), length.into()]).await?;
    Ok(true)
}

/// Adds a piece at the end of a run's log; `first` must be its [`length`].
pub async fn append(tx: &mut Tx, task: TaskId, run: u32, first: u64, bytes: &[u8]) -> Result<(), StoreError> {
    const SQL: &str = "insert into task_logs (task, run, first, bytes, length) values ($1, $2, $3, $4, $5)";
    let values = [task.into(), run.into(), first.into(), bytes.into(), (bytes.len() as u64).into()];
    tx.execute(SQL, &values).await.map(drop)
}

/// The pieces of a run's log that reach beyond `offset`, in order, up to `limit` of them.
pub async fn read(tx: &mut Tx, task: TaskId, run: u32, offset: u64, limit: u32) -> Result<Vec<Piece>, StoreError> {
    const SQL: &str = "select first, bytes from task_logs
        where task = $1 and run = $2 and first >= coalesce(
            (select max(first) from task_logs where task = $1 and run = $2 and first <= $3), 0)
        order by first limit $4";
    let values = [task.into(), run.into(), offset.into(), limit.into()];
    tx.query(SQL, &values).await?.into_iter().map(read_piece).collect()
}

/// Writes down how long the log of a run is, as its agent said with the run's end.
pub async fn set_end(tx: &mut Tx, task: TaskId, run: u32, length: u64) -> Result<(), StoreError> {
    const SQL: &str = "insert into task_log_ends (task, run, length) values ($1, $2, $3)
        on conflict (task, run) do update set length = excluded.length";
    tx.execute(SQL, &[task.into(), run.into(), length.into()]).await.map(drop)
}

/// How long the log of a run that has ended is; 0 if there is none.
pub async fn end(tx: &mut Tx, task: TaskId, run: u32) -> Result<u64, StoreError> {
    const SQL: &str = "select length from task_log_ends where task = $1 and run = $2";
    let row = tx.query_one_or_none(SQL, &[task.into(), run.into()]).await?;
    row.map_or(Ok(0), |row| row.columns("task_log_ends").number("length"))
}

/// Writes down how far a task is. Word of an older run changes nothing.
pub async fn set_progress(tx: &mut Tx, task: TaskId, progress: &ProgressRow) -> Result<(), StoreError> {
    const SQL: &str = "insert into task_progress (task, run, percent, message, at) values ($1, $2, $3, $4, $5)
        on conflict (task) do update set run = excluded.run, percent = excluded.percent,
            message = excluded.message, at = excluded.at
        where task_progress.run <= excluded.run";
    let values = [
        task.into(),
        progress.run.into(),
        progress.percent.map(u32::from).into(),
        progress.message.as_str().into(),
        progress.at.into(),
    ];
    tx.execute(SQL, &values).await.map(drop)
}

/// How far a task is, if it has ever said so.
pub async fn progress(tx: &mut Tx, task: TaskId) -> Result<Option<ProgressRow>, StoreError> {
    const SQL: &str = "select run, percent, message, at from task_progress where task = $1";
    tx.query_one_or_none(SQL, &[task.into()]).await?.map(read_progress).transpose()
}

fn read_piece(row: Row) -> Result<Piece, StoreError> {
    let mut row = row.columns("task_logs");
    Ok(Piece { first: row.number("first")?, bytes: row.bytes("bytes")? })
}

fn read_progress(row: Row) -> Result<ProgressRow, StoreError> {
    let mut row = row.columns("task_progress");
    let run = row.number("run")?;
    let percent = row.int_or_none("percent")?;
    let percent = percent.map(u8::try_from).transpose().map_err(|_| row.corrupt("percent", "is out of range"))?;
    Ok(ProgressRow { run, percent, message: row.text("message")?, at: row.millis("at")? })
}
