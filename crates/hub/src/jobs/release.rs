//! Gives the tasks of a job out.

use sortie_rules::ids::{NodeId, TaskId};
use sortie_rules::limits::{JOB_HEARD_WITHIN, PENDING_TASKS_PER_NODE_MAX};
use sortie_rules::tasks::Task;
use sortie_rules::time::Millis;
use sortie_store::jobs::{self, JobRow};
use sortie_store::tasks::TaskRow;

use super::advance::BATCH;
use crate::app::Shared;
use crate::clock::Ids;
use crate::fault::Fault;
use crate::tasks::enter;

/// Nodes that wait, looked through for those that are there.
const LOOK_THROUGH: u32 = 5000;

/// Gives tasks to nodes that wait and are there, at most `room` of them.
pub(super) async fn release(app: &Shared, row: JobRow, room: u32, now: Millis) -> Result<bool, Fault> {
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
        let is_there = app.presence.was_heard_within(node, JOB_HEARD_WITHIN);
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
        operation: None,
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
