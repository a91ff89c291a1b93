//! Reads a part of a log, and waits for more. What was put away as a blob is read from there, and nobody who reads
//! notices.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sortie_rules::ids::TaskId;
use sortie_rules::limits::{LOG_PART_BYTES_MAX, WAIT_MAX};
use sortie_rules::time::Span;
use sortie_store::blobs::{self, BlobRow};
use sortie_store::logs::{self, Piece};
use sortie_store::{Tx, tasks};
use sortie_wire::logs::{LogPart, LogQuery, TaskProgress};
use sortie_wire::problem::ProblemCode;

use super::unpacked::Unpacked;
use crate::app::App;
use crate::fault::{Fault, refuse};
use crate::people::Principal;

/// Most pieces read for one answer. Agents gather what they send, so that pieces are rarely small.
const PIECES: u32 = 200;

/// A part of a task's log, once there is something after the offset or nothing more can come.
pub(super) async fn read(app: &App, who: &Principal, task: TaskId, query: LogQuery) -> Result<LogPart, Fault> {
    let wait = Span::seconds(query.wait_s.unwrap_or(0).into()).min(WAIT_MAX);
    let end = tokio::time::sleep(wait.to_std());
    tokio::pin!(end);
    loop {
        let (news, ended) = (app.waiting.logs.subscribe(task), app.waiting.ended.subscribe(task));
        let part = read_now(app, who, task, query.run, query.offset.unwrap_or(0)).await?;
        if part.next > part.offset || part.complete {
            return Ok(part);
        }
        tokio::select! {
            _ = news => {}
            _ = ended => {}
            () = &mut end => return Ok(part),
            () = app.stop.cancelled() => return Ok(part),
        }
    }
}

/// Where a part of a log is.
enum Found {
    /// In the database: here it is.
    Part(LogPart),
    /// In a blob.
    Blob {
        blob: BlobRow,
        /// So much of the log is in it.
        length: u64,
        run: u32,
        offset: u64,
        /// The log is over with the last byte of the blob.
        is_all: bool,
    },
    /// It was put away a moment ago.
    Moved,
}

/// What is there now.
pub(super) async fn read_now(
    app: &App,
    who: &Principal,
    task: TaskId,
    run: Option<u32>,
    offset: u64,
) -> Result<LogPart, Fault> {
    loop {
        match find(app, who, task, run, offset).await? {
            Found::Part(part) => return Ok(part),
            Found::Moved => {}
            Found::Blob { blob, length, run, offset, is_all } => {
                let log = Unpacked::log(app, &blob, length).await?;
                let first = usize::try_from(offset).unwrap_or(usize::MAX).min(log.len());
                let bytes = &log[first..log.len().min(first + LOG_PART_BYTES_MAX)];
                let next = offset + bytes.len() as u64;
                let complete = is_all && next == length;
                return Ok(LogPart { run, offset, next, data: STANDARD.encode(bytes), complete });
            }
        }
    }
}

async fn find(app: &App, who: &Principal, task: TaskId, run: Option<u32>, offset: u64) -> Result<Found, Fault> {
    let org = who.org;
    app.store
        .read(move |tx| {
            Box::pin(async move {
                let unknown = || refuse(ProblemCode::UnknownTask, "There is no such task.");
                let row = tasks::get_life(tx, task).await?.filter(|row| row.org == org).ok_or_else(unknown)?;
                let run = run.unwrap_or(row.life.run);
                if run == 0 || run > row.life.run {
                    let detail = format!("The task has had {} runs; there is no run {run}.", row.life.run);
                    return Err(refuse(ProblemCode::MalformedParameter, detail));
                }
                let run_has_ended = run < row.life.run || row.life.state.status().is_terminal();
                part(tx, task, run, offset, run_has_ended).await
            })
        })
        .await
}

async fn part(tx: &mut Tx, task: TaskId, run: u32, offset: u64, run_has_ended: bool) -> Result<Found, Fault> {
    let archived = logs::archived(tx, task, run).await?;
    let length = logs::length(tx, task, run).await?;
    let offset = offset.min(length);
    let is_over = |next: u64, end: u64| run_has_ended && next == length && length >= end;
    let end = logs::end(tx, task, run).await?;
    if let Some(archived) = archived
        && offset < archived.length
    {
        // A blob stays while somebody refers to it.
        let missing = || Fault::Broken(format!("the blob {} of a log is not known", archived.blob));
        let blob = blobs::get(tx, archived.blob).await?.ok_or_else(missing)?;
        let is_all = is_over(archived.length, end);
        return Ok(Found::Blob { blob, length: archived.length, run, offset, is_all });
    }
    let pieces = logs::read(tx, task, run, offset, PIECES).await?;
    // On PostgreSQL each statement sees what was committed before it.
    if offset < length && pieces.first().is_none_or(|piece| piece.first > offset) {
        return Ok(Found::Moved);
    }
    let bytes = from(pieces, offset);
    let next = offset + bytes.len() as u64;
    let complete = is_over(next, end);
    Ok(Found::Part(LogPart { run, offset, next, data: STANDARD.encode(bytes), complete }))
}

/// The bytes of pieces from an offset on, as many as one answer may have.
fn from(pieces: Vec<Piece>, offset: u64) -> Vec<u8> {
    let mut bytes: Vec<u8> = Vec::new();
    for piece in pieces {
        let skip = usize::try_from(offset.saturating_sub(piece.first)).unwrap_or(usize::MAX).min(piece.bytes.len());
        bytes.extend_from_slice(&piece.bytes[skip..]);
        if bytes.len() >= LOG_PART_BYTES_MAX {
            bytes.truncate(LOG_PART_BYTES_MAX);
            break;
        }
    }
    bytes
}

/// How far a task is.
pub(crate) async fn progress(tx: &mut Tx, task: TaskId) -> Result<Option<TaskProgress>, Fault> {
    let row = logs::progress(tx, task).await?;
    Ok(row.map(|row| TaskProgress { percent: row.percent, message: row.message, at: row.at }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_begins_in_the_middle_of_a_piece_and_has_its_limit() {
        let piece = |first, bytes: &[u8]| Piece { first, bytes: bytes.to_vec() };
        assert_eq!(from(vec![piece(3, b"defg"), piece(7, b"hi")], 5), b"fghi");
        assert_eq!(from(vec![piece(0, b"abc")], 3), b"");
        let large = vec![b'x'; LOG_PART_BYTES_MAX];
        assert_eq!(from(vec![piece(0, &large), piece(large.len() as u64, b"y")], 1).len(), LOG_PART_BYTES_MAX);
    }
}
