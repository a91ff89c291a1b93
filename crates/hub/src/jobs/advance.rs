//! The loop that brings jobs forward. It rereads each job that is not over, asks the rule what is next,
//! and does that; a restart, or a second hub, needs no other way.

use sortie_rules::ids::{JobId, TaskId};
use sortie_rules::jobs::{JobStatus, Next, next};
use sortie_rules::time::Millis;
use sortie_store::jobs::{self, JobRow};

use super::create::told;
use super::release::release;
use super::withdraw::{call_off_all, withdraw};
use crate::app::Shared;
use crate::fault::Fault;

/// Jobs read at once.
const OPEN_PAGE: u32 = 1000;
/// Tasks made or withdrawn in one transaction, so that others get their turn at the store.
pub(super) const BATCH: u32 = 200;

/// Takes a step with every job that is not over. Returns how many steps were taken.
pub(crate) async fn advance_all(app: &Shared) -> Result<u64, Fault> {
    let (mut open, mut steps, mut failed) = (Vec::new(), 0, None);
    loop {
        let after = open.last().copied();
        let more = app.store.read(move |tx| Box::pin(async move { jobs::open(tx, after, OPEN_PAGE).await })).await?;
        let is_last = more.len() < OPEN_PAGE as usize;
        for job in &more {
            // One that cannot go on does not hold up the others.
            match advance(app, *job).await {
                Ok(stepped) => steps += u64::from(stepped),
                Err(error) => failed = Some(error),
            }
        }
        open.extend(more);
        if is_last {
            break;
        }
    }
    app.jobs.keep(&open);
    if let Some(error) = failed {
        return Err(error);
    }
    if steps > 0 {
        // What was done may make room for more.
        app.jobs.nudge_new();
    }
    Ok(steps)
}

/// What was read of a job, and what is to be done about it.
struct Look {
    row: JobRow,
    next: Next,
    has_revoked: bool,
    at_revoked: Vec<TaskId>,
}

/// Takes one step. `false` if there was nothing to do.
async fn advance(app: &Shared, id: JobId) -> Result<bool, Fault> {
    let now = app.clock.now();
    let look_for_revoked = app.jobs.may_look_for_revoked(id, now);
    let look = app
        .store
        .read(move |tx| {
            Box::pin(async move {
                let Some(row) = jobs::get_any_org(tx, id).await? else { return Ok(None) };
                let next = next(&row.life, &jobs::counts(tx, id).await?, now);
                let (has_revoked, at_revoked) = match look_for_revoked {
                    true => (jobs::has_revoked(tx, id).await?, jobs::at_revoked(tx, id, BATCH).await?),
                    false => (false, Vec::new()),
                };
                Ok::<_, Fault>(Some(Look { row, next, has_revoked, at_revoked }))
            })
        })
        .await?;
    let Some(Look { row, next, has_revoked, at_revoked }) = look else { return Ok(false) };
    match next {
        Next::Rest | Next::Release(_) if !at_revoked.is_empty() => {
            call_off_all(app, row, at_revoked, "its node was revoked", now).await
        }
        Next::Rest | Next::Release(_) if has_revoked => skip_revoked(app, row).await,
        Next::Rest => Ok(false),
        Next::Release(room) => release(app, row, room, now).await,
        Next::Withdraw { under_way } => withdraw(app, row, under_way, now).await,
        Next::Become(status) => go_over(app, row, status, now).await,
    }
}

async fn skip_revoked(app: &Shared, row: JobRow) -> Result<bool, Fault> {
    let (id, turn) = (row.id, row.turn);
    app.store
        .write(move |tx| {
            Box::pin(async move {
                Ok::<_, Fault>(jobs::take_turn(tx, id, turn).await? && jobs::skip_revoked(tx, id).await? > 0)
            })
        })
        .await
}

/// Goes over to another status; with the end, who still waits is left out.
async fn go_over(app: &Shared, row: JobRow, status: JobStatus, now: Millis) -> Result<bool, Fault> {
    let kind = match status {
        JobStatus::Completed => "job.completed",
        JobStatus::Stopped => "job.stopped",
        JobStatus::Cancelled => "job.cancelled",
        JobStatus::Stopping => "job.failed_too_often",
        JobStatus::Running | JobStatus::Paused | JobStatus::Cancelling => {
            return Err(Fault::Broken(format!("job {}: {} is not for the loop", row.id, status.as_str())));
        }
    };
    app.store
        .write(move |tx| {
            Box::pin(async move {
                if !jobs::take_turn(tx, row.id, row.turn).await? {
                    return Ok(true);
                }
                if status.is_terminal() {
                    jobs::skip_waiting(tx, row.id, status.skips_as()).await?;
                }
                jobs::set_status(tx, row.id, status, status.is_terminal().then_some(now)).await?;
                told(tx, row.org, row.id, kind, "hub", row.life.nodes, now).await?;
                Ok::<_, Fault>(true)
            })
        })
        .await
}
