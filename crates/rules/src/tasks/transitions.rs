//! What may happen to a task. Each function takes a task and the time and returns the next task,
//! or a refusal that says why not. None of them does anything.

use super::outcome::{Code, Outcome};
use super::state::{EndedBy, State, Status, Task};
use crate::backoff::Backoff;
use crate::limits::{RETRY_BACKOFF_FIRST, RETRY_BACKOFF_MAX};
use crate::time::Millis;

/// Why a task stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It has ended already.
    #[error("the task has ended already (it is {})", .0.as_str())]
    Ended(Status),
    /// Its work is done; only what did not complete can be put back into the queue.
    #[error("only a task that ended without completing can be requeued (this one is {})", .0.as_str())]
    NotRequeueable(Status),
    /// It is not in the queue, or not yet, or no longer.
    #[error("the task cannot be handed out now")]
    NotClaimable,
    /// The claim is not this attempt's any more, or never was.
    #[error("this attempt does not hold the task")]
    NotHeld,
    /// Its lease has not ended.
    #[error("the lease has not ended")]
    LeaseHolds,
    /// It has no end that has passed.
    #[error("the task has not expired")]
    NotExpired,
    /// Another result of the agent stands.
    #[error("another result has been recorded for this task")]
    OtherResult,
}

/// What a result changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finished {
    /// The task is now so.
    Changed(Task),
    /// It is so already: the same result came again, or speaks of a run that is closed.
    Repeated,
}

/// A result as far as decisions need it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Which run it is of.
    pub run: u32,
    /// The newest attempt of that run that the agent saw.
    pub attempt: u32,
    /// How it ended.
    pub outcome: Outcome,
    /// Whether this very result stands recorded as the task's end.
    pub is_recorded: bool,
}

/// Whether a task could be handed out at `now`.
pub fn is_claimable(task: &Task, now: Millis) -> bool {
    let in_time = task.not_after.is_none_or(|end| now < end);
    matches!(task.state, State::Pending { not_before } if not_before.is_none_or(|start| now >= start)) && in_time
}

/// Hands the task out: the attempt rises, the lease begins.
pub fn claim(task: &Task, now: Millis) -> Result<Task, Refusal> {
    if !is_claimable(task, now) {
        return Err(Refusal::NotClaimable);
    }
    let state = State::InProgress { lease_until: now + task.lease, cancel_asked: false };
    Ok(Task { state, attempt: task.attempt + 1, ..task.clone() })
}

/// The agent says that it holds `attempt`: the lease begins anew. It never gets shorter.
pub fn renew(task: &Task, attempt: u32, now: Millis) -> Result<Task, Refusal> {
    match task.state {
        State::InProgress { lease_until, cancel_asked } if attempt == task.attempt => {
            let state = State::InProgress { lease_until: lease_until.max(now + task.lease), cancel_asked };
            Ok(Task { state, ..task.clone() })
        }
        _ => Err(Refusal::NotHeld),
    }
}

/// Whether a lease has ended. After a start of the hub none ends before one whole lease has passed
/// since it began to listen, so that agents can say what they hold.
pub fn lease_has_ended(task: &Task, now: Millis, listening_since: Millis) -> bool {
    matches!(task.state, State::InProgress { lease_until, .. }
        if now >= lease_until && now >= listening_since + task.lease)
}

/// The lease ended without a word: back to the queue in the same run, or the end.
pub fn lapse(task: &Task, now: Millis, listening_since: Millis) -> Result<Task, Refusal> {
    if !lease_has_ended(task, now, listening_since) {
        return Err(Refusal::LeaseHolds);
    }
    let cancel_asked = matches!(task.state, State::InProgress { cancel_asked: true, .. });
    if cancel_asked {
        return Ok(Task { state: State::Cancelled { by: EndedBy::Hub }, ..task.clone() });
    }
    if task.not_after.is_some_and(|end| now >= end) {
        return Ok(Task { state: State::Expired, ..task.clone() });
    }
    if task.retries >= task.retries_max {
        let state = State::Failed { code: Code::new(Code::LEASE_EXPIRED), by: EndedBy::Hub };
        return Ok(Task { state, ..task.clone() });
    }
    Ok(Task { state: State::Pending { not_before: None }, retries: task.retries + 1, ..task.clone() })
}

/// The agent says how a run ended. `draw` spreads the wait before a retry, uniform in `0..=u32::MAX`.
///
/// A result of an older attempt is as good as one of the newest: the work is done. A result from an
/// attempt that the hub does not know (a hub restored from a backup) is taken too, since only the
/// task's node can report it. The caller has checked that the reporter is that node.
pub fn finish(task: &Task, result: &Report, now: Millis, draw: u32) -> Result<Finished, Refusal> {
    if result.is_recorded {
        return Ok(Finished::Repeated);
    }
    let status = task.state.status();
    if status.is_terminal() && !task.ended_by_hub() {
        return Err(Refusal::OtherResult);
    }
    // An older run that did not complete was closed when the newer one was opened.
    let closed_run = result.run < task.run && result.outcome != Outcome::Completed;
    if closed_run {
        return Ok(Finished::Repeated);
    }
    let cancel_asked = matches!(task.state, State::InProgress { cancel_asked: true, .. });
    let ended = |state| Task {
        state,
        attempt: task.attempt.max(result.attempt),
        run: task.run.max(result.run),
        ..task.clone()
    };
    let next = match &result.outcome {
        Outcome::Completed => ended(State::Completed),
        Outcome::Cancelled => ended(State::Cancelled { by: EndedBy::Agent }),
        Outcome::Rejected { code } => ended(State::Rejected { code: code.clone() }),
        Outcome::Interrupted => ended(State::Failed { code: Code::new(Code::INTERRUPTED), by: EndedBy::Agent }),
        Outcome::Failed { code, retry } => {
            let may_retry = *retry && !cancel_asked && !status.is_terminal() && task.retries < task.retries_max;
            if may_retry {
                let backoff = Backoff { first: RETRY_BACKOFF_FIRST, cap: RETRY_BACKOFF_MAX };
                let not_before = Some(now + backoff.wait(task.retries + 1, draw));
                let pending = ended(State::Pending { not_before });
                Task { run: pending.run + 1, retries: task.retries + 1, ..pending }
            } else {
                ended(State::Failed { code: code.clone(), by: EndedBy::Agent })
            }
        }
    };
    Ok(Finished::Changed(next))
}

/// Someone calls the task off. In the queue that ends it; handed out, the agent is asked to stop.
pub fn cancel(task: &Task) -> Result<Task, Refusal> {
    match task.state {
        State::Pending { .. } => Ok(Task { state: State::Cancelled { by: EndedBy::Hub }, ..task.clone() }),
        State::InProgress { lease_until, .. } => {
            Ok(Task { state: State::InProgress { lease_until, cancel_asked: true }, ..task.clone() })
        }
        ref ended => Err(Refusal::Ended(ended.status())),
    }
}

/// Its time passed while it was waiting.
pub fn expire(task: &Task, now: Millis) -> Result<Task, Refusal> {
    let passed = task.not_after.is_some_and(|end| now >= end);
    match task.state {
        State::Pending { .. } if passed => Ok(Task { state: State::Expired, ..task.clone() }),
        _ => Err(Refusal::NotExpired),
    }
}

/// An operator wants an ended task done after all: a new run with fresh retries, at once, and
/// without the end that it may have missed.
pub fn requeue(task: &Task) -> Result<Task, Refusal> {
    let status = task.state.status();
    if !status.is_terminal() || status == Status::Completed {
        return Err(Refusal::NotRequeueable(status));
    }
    Ok(Task {
        state: State::Pending { not_before: None },
        run: task.run + 1,
        retries: 0,
        not_after: None,
        ..task.clone()
    })
}
