//! The loop that brings jobs forward. It rereads each job that is not over, asks the rule what is next,
//! and does that; a restart, or a second hub, needs no other way.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sortie_rules::ids::{JobId, NodeId, TaskId};
use sortie_rules::jobs::{JobStatus, Next, next};
use sortie_rules::limits::{JOB_HEARD_WITHIN, PENDING_TASKS_PER_NODE_MAX};
use sortie_rules::tasks::{Status, Task};
use sortie_rules::time::{Millis, Span};
use sortie_store::Tx;
use sortie_store::jobs::{self, JobRow};
use sortie_store::tasks::{self, TaskRow};
use tokio::sync::Notify;

use super::create::told;
use crate::app::Shared;
use crate::clock::Ids;
use crate::fault::Fault;
use crate::packs::TaskTypes;
use crate::tasks::{call_off, enter};

/// Jobs read at once.
const OPEN_PAGE: u32 = 1000;
/// Tasks made or withdrawn in one transaction, so that others get their turn at the store.
const BATCH: u32 = 200;
/// How often a job is looked through for nodes that were revoked.
const REVOKED_EVERY: Span = Span::seconds(2);
/// Nodes that wait, looked through for those that are there.
const LOOK_THROUGH: u32 = 5000;

/// What the loop keeps in memory: nothing that it could not do without.
#[derive(Debug, Default)]
pub(crate) struct Advance {
    /// How many jobs were not over at the last look.
    open: AtomicUsize,
    bell: Arc<Notify>,
    looked: Mutex<HashMap<JobId, Looked>>,
}

/// What was looked at of a job.
#[derive(Debug, Default)]
struct Looked {
    /// Up to which place its waiting nodes were looked through.
    place: u32,
    /// When it was last looked for revoked ones.
    revoked_at: Option<Millis>,
}

impl Advance {
    /// Rings when a job may go on.
    pub(crate) fn bell(&self) -> Arc<Notify> {
        Arc::clone(&self.bell)
    }

    /// A task has ended; if there are jobs, one may go on.
    pub(crate) fn nudge(&self) {
        if self.open.load(Ordering::Relaxed) > 0 {
            self.bell.notify_one();
        }
    }

    /// A job was made, or steered.
    pub(crate) fn nudge_new(&self) {
        self.bell.notify_one();
    }

    fn looked(&self) -> MutexGuard<'_, HashMap<JobId, Looked>> {
        self.looked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn place(&self, job: JobId) -> u32 {
        self.looked().get(&job).map_or(0, |looked| looked.place)
    }

    fn set_place(&self, job: JobId, place: u32) {
        self.looked().entry(job).or_default().place = place;
    }

    /// Whether it is time to look for revoked nodes of a job; if so, it was.
    fn may_look_for_revoked(&self, job: JobId, now: Millis) -> bool {
        let mut all = self.looked();
        let looked = all.entry(job).or_default();
        let is_time = looked.revoked_at.is_none_or(|at| now.since(at) >= REVOKED_EVERY);
        if is_time {
            looked.revoked_at = Some(now);
        }
        is_time
    }

    fn keep(&self, open: &[JobId]) {
        self.open.store(open.len(), Ordering::Relaxed);
        self.looked().retain(|job, _| open.binary_search(job).is_ok());
    }
}

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
        app.jobs.bell.notify_one();
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

/// Gives tasks to nodes that wait and are there, at most `room` of them.
async fn release(app: &Shared, row: JobRow, room: u32, now: Millis) -> Result<bool, Fault> {
    let (id, after) = (row.id, app.jobs.place(row.id));
    let waiting =
        app.store.read(move |tx| Box::pin(async move { jobs::waiting(tx, id, after, LOOK_THROUGH).await })).await?;
    let is_last = waiting.len() < LOOK_THROUGH as usize;
    let most = room.min(BATCH) as usize;
    let mut chosen = Vec::with_capacity(most);
    let mut place = waiting.last().map_or(0, |(position, _)| *position);
    for (position, node) in waiting {
        if chosen.len() == most {
            break;
        }
        let is_there = app.presence.was_heard_since(node, now - JOB_HEARD_WITHIN);
        if is_there && has_room(app, node).await? {
            chosen.push((position, node));
        }
        place = position;
    }
    // At the end of the table it is looked through from its beginning again.
    app.jobs.set_place(id, if is_last && chosen.len() < most { 0 } else { place });
    if chosen.is_empty() {
        // Those further on are looked at with the next turn: many who are away cost no more than a look.
        return Ok(false);
    }
    let mut ids = Ids::new(&app.entropy, now);
    let tasks: Vec<(u32, TaskRow)> =
        chosen.into_iter().map(|(position, node)| (position, task(&row, ids.next(), node, now))).collect();
    let turn = row.turn;
    let released = app
        .store
        .write(move |tx| {
            Box::pin(async move {
                if !jobs::take_turn(tx, id, turn).await? {
                    return Ok(None);
                }
                let mut nodes = Vec::with_capacity(tasks.len());
                for (position, task) in tasks {
                    if jobs::release(tx, id, position, task.id).await? {
                        enter(tx, &task).await?;
                        nodes.push(task.node);
                    }
                }
                Ok::<_, Fault>(Some(nodes))
            })
        })
        .await?;
    let nodes = released.unwrap_or_default();
    metrics::counter!("sortie_tasks_submitted_total").increment(nodes.len() as u64);
    for node in &nodes {
        app.waiting.ring(*node);
    }
    Ok(true)
}

async fn has_room(app: &Shared, node: NodeId) -> Result<bool, Fault> {
    let Some(known) = app.nodes.find(&app.store, node).await? else { return Ok(false) };
    match known.make_room(&app.store, 1).await {
        Ok(()) => Ok(!known.revoked),
        Err(Fault::Problem(_)) => {
            tracing::debug!(%node, "A job waits for a node in whose queue {PENDING_TASKS_PER_NODE_MAX} tasks wait");
            Ok(false)
        }
        Err(other) => Err(other),
    }
}

fn task(job: &JobRow, id: TaskId, node: NodeId, now: Millis) -> TaskRow {
    TaskRow {
        id,
        org: job.org,
        node,
        type_name: job.type_name.clone(),
        priority: job.priority,
        payload: job.payload.clone(),
        idempotent: job.idempotent,
        submitted_by: job.submitted_by.clone(),
        submitted_at: now,
        traceparent: job.traceparent.clone(),
        job: Some(job.id),
        life: Task::submitted(job.retries_max, job.lease, None, job.life.not_after),
        delivery: 0,
        claimed_at: None,
        finished_at: None,
        message: None,
        result: None,
        result_digest: None,
    }
}

/// Takes tasks back that nobody has begun, and asks what is under way to stop.
async fn withdraw(app: &Shared, row: JobRow, under_way: bool, now: Millis) -> Result<bool, Fault> {
    let id = row.id;
    let found =
        app.store.read(move |tx| Box::pin(async move { jobs::to_withdraw(tx, id, under_way, BATCH).await })).await?;
    let why = if under_way { "its job was cancelled" } else { "its job was stopped: too many nodes failed" };
    call_off_all(app, row, found, why, now).await
}

/// Calls tasks of a job off. `false` if there were none.
async fn call_off_all(
    app: &Shared,
    row: JobRow,
    found: Vec<TaskId>,
    why: &'static str,
    now: Millis,
) -> Result<bool, Fault> {
    if found.is_empty() {
        return Ok(false);
    }
    let types = app.types.load_full();
    let withdrawn = app.store.write(move |tx| Box::pin(withdraw_in(tx, types, row, found, why, now))).await?;
    for (task, node, status) in &withdrawn {
        if status.is_terminal() {
            app.waiting.ended.ring(*task);
        } else {
            app.waiting.ring_cancel(*node, *task);
        }
    }
    Ok(!withdrawn.is_empty())
}

async fn withdraw_in(
    tx: &mut Tx,
    types: Arc<TaskTypes>,
    row: JobRow,
    found: Vec<TaskId>,
    why: &'static str,
    now: Millis,
) -> Result<Vec<(TaskId, NodeId, Status)>, Fault> {
    if !jobs::take_turn(tx, row.id, row.turn).await? {
        return Ok(Vec::new());
    }
    let mut withdrawn = Vec::with_capacity(found.len());
    for id in found {
        let Some(task) = tasks::get_life(tx, id).await? else { continue };
        match call_off(tx, &types, &task, ("hub", why), now).await {
            Ok(status) => withdrawn.push((id, task.node, status)),
            // It ended, or was begun, a moment ago; the next look sees what it is now.
            Err(Fault::Problem(_)) => {}
            Err(other) => return Err(other),
        }
    }
    Ok(withdrawn)
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
