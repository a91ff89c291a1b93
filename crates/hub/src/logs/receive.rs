//! Takes pieces of logs in. A piece is kept if it begins where the log ends; otherwise the agent is told
//! where to go on, so that a break, a repeat or a restored database costs neither a byte nor a double.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sortie_rules::limits::{COUNT_MAX, PROGRESS_BYTES_MAX, TASK_LOG_BYTES_MAX};
use sortie_store::logs::{self, ProgressRow};
use sortie_store::{Tx, tasks};
use sortie_wire::logs::{LogPiece, LogReceipt, TaskProgress};
use sortie_wire::problem::{Problem, ProblemCode};

use crate::app::App;
use crate::fault::{Fault, refuse_at};
use crate::http::NodeCaller;

/// A piece whose bytes have been read.
#[derive(Clone)]
struct Read {
    piece: LogPiece,
    bytes: Vec<u8>,
}

/// Takes pieces in, all in one transaction. The receipts come in their order.
pub(super) async fn receive(app: &App, caller: NodeCaller, pieces: Vec<LogPiece>) -> Result<Vec<LogReceipt>, Fault> {
    let mut read = Vec::with_capacity(pieces.len());
    for (index, piece) in pieces.into_iter().enumerate() {
        read.push(check(piece, &format!("/pieces/{index}"))?);
    }
    let tasks: Vec<_> = read.iter().map(|read| read.piece.task).collect();
    let receipts = app
        .store
        .write(move |tx| {
            Box::pin(async move {
                let mut receipts = Vec::with_capacity(read.len());
                for read in read {
                    receipts.push(keep(tx, &caller, read).await?);
                }
                Ok::<_, Fault>(receipts)
            })
        })
        .await?;
    tasks.into_iter().for_each(|task| app.waiting.ring_log(task));
    Ok(receipts)
}

fn check(piece: LogPiece, at: &str) -> Result<Read, Fault> {
    let invalid = |field: &str, detail: &str| refuse_at(ProblemCode::FieldInvalid, format!("{at}/{field}"), detail);
    if !(1..=COUNT_MAX).contains(&piece.run) {
        return Err(invalid("run", &format!("A run is from 1 to {COUNT_MAX}.")));
    }
    if piece.offset > TASK_LOG_BYTES_MAX {
        return Err(invalid("offset", &format!("A log has at most {TASK_LOG_BYTES_MAX} bytes.")));
    }
    if let Some(progress) = &piece.progress {
        if progress.percent.is_some_and(|percent| percent > 100) {
            return Err(invalid("progress/percent", "A percentage is from 0 to 100."));
        }
        if progress.message.len() > PROGRESS_BYTES_MAX {
            return Err(invalid("progress/message", &format!("It has at most {PROGRESS_BYTES_MAX} bytes.")));
        }
    }
    let bytes = STANDARD.decode(&piece.data).map_err(|_| invalid("data", "This is not base64."))?;
    Ok(Read { piece, bytes })
}

async fn keep(tx: &mut Tx, caller: &NodeCaller, read: Read) -> Result<LogReceipt, Fault> {
    let Read { piece: LogPiece { task, run, offset, progress, .. }, bytes } = read;
    let refused = |code, detail: &str| LogReceipt { task, run, next: 0, refused: Some(Problem::new(code, detail)) };
    let Some(row) = tasks::get_life(tx, task).await?.filter(|row| row.org == caller.org) else {
        return Ok(refused(ProblemCode::UnknownTask, "There is no such task."));
    };
    if row.node != caller.node {
        return Ok(refused(ProblemCode::NotYourTask, "The task is another node's; only that node may tell of it."));
    }
    if run > row.life.run {
        return Ok(refused(ProblemCode::FieldInvalid, "The task has had no such run."));
    }
    let length = logs::length(tx, task, run).await?;
    let room = TASK_LOG_BYTES_MAX.saturating_sub(length);
    let mut next = length;
    if offset == length && !bytes.is_empty() && room > 0 {
        let fits = usize::try_from(room).unwrap_or(usize::MAX).min(bytes.len());
        logs::append(tx, task, run, offset, &bytes[..fits]).await?;
        next += fits as u64;
    }
    if let Some(TaskProgress { percent, message, at }) = progress {
        logs::set_progress(tx, task, &ProgressRow { run, percent, message, at }).await?;
    }
    // What is beyond the limit is not wanted, and an agent that goes on sending it is told so.
    if next >= TASK_LOG_BYTES_MAX && offset > next {
        return Ok(refused(ProblemCode::TooLarge, "The log has all the bytes that it may have."));
    }
    Ok(LogReceipt { task, run, next, refused: None })
}
