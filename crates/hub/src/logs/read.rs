//! Reads a part of a log, and waits for more.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sortie_rules::ids::TaskId;
use sortie_rules::limits::{LOG_PART_BYTES_MAX, WAIT_MAX};
use sortie_rules::time::Span;
use sortie_store::logs::{self, Piece};
use sortie_store::{Tx, tasks};
use sortie_wire::logs::{LogPart, LogQuery, TaskProgress};
use sortie_wire::problem::ProblemCode;

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

/// What is there now.
pub(super) async fn read_now(
    app: &App,
    who: &Principal,
    task: TaskId,
    run: Option<u32>,
    offset: u64,
) -> Result<LogPart, Fault> {
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

async fn part(tx: &mut Tx, task: TaskId, run: u32, offset: u64, run_has_ended: bool) -> Result<LogPart, Fault> {
    let length = logs::length(tx, task, run).await?;
    let offset = offset.min(length);
    let bytes = from(logs::read(tx, task, run, offset, PIECES).await?, offset);
    let next = offset + bytes.len() as u64;
    let complete = run_has_ended && next == length && length >= logs::end(tx, task, run).await?;
    Ok(LogPart { run, offset, next, data: STANDARD.encode(bytes), complete })
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
