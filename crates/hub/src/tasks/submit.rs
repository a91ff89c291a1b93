//! Takes tasks in: checks each against its type, writes all or none, and where an agent is waiting
//! hands the first of them over from memory.

use std::sync::Arc;

use sortie_rules::ids::{NodeId, TaskId};
use sortie_rules::limits::{DELIVERY_BYTES_MAX, TASKS_PER_DELIVERY_MAX};
use sortie_rules::tasks::{Status, Task, claim};
use sortie_rules::time::Millis;
use sortie_store::Tx;
use sortie_store::audit::NewEntry;
use sortie_store::nodes::Numbered;
use sortie_store::tasks::{self, TaskRow};
use sortie_wire::deliveries::HandedTask;
use sortie_wire::problem::ProblemCode;
use sortie_wire::tasks::{SubmitTask, Submitted};

use super::delivery::handed;
use super::events::About;
use super::terms::terms;
use super::together::{Submission, Written, answer_to};
use crate::app::Shared;
use crate::audit::Act;
use crate::clock::Ids;
use crate::events::{Record, record};
use crate::fault::{Fault, refuse_at};
use crate::http::Once;
use crate::nodes::Known as KnownNode;
use crate::people::Principal;
use crate::waiting::Reservation;

/// Most nodes of a batch that the audit log names; the request has them all.
const NODES_NAMED_MAX: usize = 20;

/// Submits tasks, or answers as the first request under the same key was answered. `batch` says
/// whether the request was a batch, so that pointers fit.
pub(super) async fn submit(
    app: &Shared,
    who: &Principal,
    requests: Vec<SubmitTask>,
    batch: bool,
    once: Once,
    traceparent: Option<String>,
) -> Result<Vec<Submitted>, Fault> {
    match submit_anew(app, who, requests, batch, once.clone(), traceparent).await {
        Err(refusal) => read_answer(&once.recall_after(&app.store, refusal).await?),
        submitted => submitted,
    }
}

fn read_answer(answer: &str) -> Result<Vec<Submitted>, Fault> {
    serde_json::from_str(answer).map_err(|error| Fault::Broken(error.to_string()))
}

async fn submit_anew(
    app: &Shared,
    who: &Principal,
    requests: Vec<SubmitTask>,
    batch: bool,
    once: Once,
    traceparent: Option<String>,
) -> Result<Vec<Submitted>, Fault> {
    let now = app.clock.now();
    let mut ids = Ids::new(&app.entropy, now);
    let mut rows = Vec::with_capacity(requests.len());
    let mut nodes: Vec<(Arc<KnownNode>, u64)> = Vec::new();
    for (index, request) in requests.into_iter().enumerate() {
        let at = if batch { format!("/tasks/{index}") } else { String::new() };
        let node = find_node(app, who, &request.node, &at, &nodes).await?;
        rows.push(check(app, who, request, (node.id, ids.next()), &at, traceparent.as_deref(), now)?);
        match nodes.iter_mut().find(|(known, _)| known.id == node.id) {
            Some((_, count)) => *count += 1,
            None => nodes.push((node, 1)),
        }
    }
    for (node, count) in &nodes {
        if let Err(fault) = node.make_room(&app.store, *count).await {
            let first = rows.iter().position(|row| row.node == node.id).unwrap_or_default();
            let at = if batch { format!("/tasks/{first}/node") } else { "/node".to_owned() };
            return Err(pointing(fault, at));
        }
    }
    let entry = act(who, &rows, &nodes, &once, now)?.entry();
    let reservations: Vec<(NodeId, Reservation)> =
        nodes.iter().filter_map(|(node, _)| Some((node.id, app.waiting.reserve(node.id)?))).collect();
    let touched: Vec<NodeId> = nodes.iter().map(|(node, _)| node.id).collect();
    if reservations.is_empty() {
        return write_and_hand_over(app, (rows, entry), once, reservations, touched, now).await;
    }
    // A caller that hangs up must not leave a hand-over half done.
    let app = app.clone();
    let work =
        tokio::spawn(async move { write_and_hand_over(&app, (rows, entry), once, reservations, touched, now).await });
    work.await.map_err(|error| Fault::Broken(error.to_string()))?
}

/// What somebody does who submits these: one act, however many they are.
fn act(
    who: &Principal,
    rows: &[TaskRow],
    nodes: &[(Arc<KnownNode>, u64)],
    once: &Once,
    now: Millis,
) -> Result<Act, Fault> {
    let (act, request_sha256) = (Act::by(who, now)?, once.body_sha256());
    if let ([row], [(node, _)]) = (rows, nodes) {
        let changes = serde_json::json!({ "node": node.name, "request_sha256": request_sha256, "type": row.type_name });
        return Ok(act.on("task", row.id).changes(changes));
    }
    // Tasks of one request have ids in order, and no other task has one between them unless it came meanwhile.
    let named: Vec<&str> = nodes.iter().take(NODES_NAMED_MAX).map(|(node, _)| node.name.as_str()).collect();
    let mut types: Vec<&str> = rows.iter().map(|row| row.type_name.as_str()).collect();
    types.sort_unstable();
    types.dedup();
    Ok(act.changes(serde_json::json!({
        "first": rows.first().map(|row| row.id), "last": rows.last().map(|row| row.id), "nodes": nodes.len(),
        "nodes_named": named, "request_sha256": request_sha256, "tasks": rows.len(), "types": types,
    })))
}

async fn find_node(
    app: &Shared,
    who: &Principal,
    text: &str,
    at: &str,
    seen: &[(Arc<KnownNode>, u64)],
) -> Result<Arc<KnownNode>, Fault> {
    if let Some((node, _)) = seen.iter().find(|(node, _)| node.name == text) {
        return Ok(Arc::clone(node));
    }
    let found = app.nodes.find_named(&app.store, who.org, text).await;
    let node = found.map_err(|fault| pointing(fault, format!("{at}/node")))?;
    if node.revoked {
        let detail = format!("The node `{}` was revoked; it takes no tasks until it enrols anew.", node.name);
        return Err(refuse_at(ProblemCode::NodeRevoked, format!("{at}/node"), detail));
    }
    Ok(node)
}

/// A refusal that says where in the request its reason stands.
fn pointing(fault: Fault, pointer: String) -> Fault {
    match fault {
        Fault::Problem(problem) => problem.at(pointer).into(),
        other => other,
    }
}

/// A task as it was asked for, if it is one that its type allows.
fn check(
    app: &Shared,
    who: &Principal,
    request: SubmitTask,
    (node, id): (NodeId, TaskId),
    at: &str,
    traceparent: Option<&str>,
    now: Millis,
) -> Result<TaskRow, Fault> {
    let terms = terms(&app.types.load(), request, at, now)?;
    let traceparent = traceparent.map(str::to_owned);
    Ok(terms.task(id, (who.org, node), &who.name, traceparent, now))
}

/// What a reserved wait gets: the first tasks in order, as many as the agent has room for and one
/// delivery may carry. Says how each of them was before.
fn claim_for(rows: &mut [TaskRow], node: NodeId, room: u32, number: u64, now: Millis) -> Vec<(TaskId, Task)> {
    let mut order: Vec<usize> = (0..rows.len()).filter(|index| rows[*index].node == node).collect();
    order.sort_by_key(|index| (-rows[*index].priority, rows[*index].id));
    let (mut taken, mut bytes) = (Vec::new(), 0);
    for index in order {
        let row = &mut rows[index];
        let Ok(life) = claim(&row.life, now) else { continue };
        bytes += row.payload.len();
        let is_full = bytes > DELIVERY_BYTES_MAX && !taken.is_empty();
        if is_full || taken.len() == room.min(TASKS_PER_DELIVERY_MAX) as usize {
            break;
        }
        let before = std::mem::replace(&mut row.life, life);
        row.delivery = number;
        row.claimed_at = Some(now);
        taken.push((row.id, before));
    }
    taken
}

/// A node's reserved wait, and the tasks that it gets, each as it was before.
type Reserved = (NodeId, Reservation, Vec<(TaskId, Task)>);

async fn write_and_hand_over(
    app: &Shared,
    (mut rows, entry): (Vec<TaskRow>, NewEntry),
    once: Once,
    reservations: Vec<(NodeId, Reservation)>,
    touched: Vec<NodeId>,
    now: Millis,
) -> Result<Vec<Submitted>, Fault> {
    let mut lines = Vec::with_capacity(reservations.len());
    for (node, reservation) in reservations {
        let taken = claim_for(&mut rows, node, reservation.room, reservation.number, now);
        lines.push((node, reservation, taken));
    }
    let numbers: Vec<Numbered> = lines
        .iter()
        .filter(|(_, _, taken)| !taken.is_empty())
        .map(|(node, reservation, _)| Numbered {
            node: *node,
            arrivals: reservation.arrivals,
            delivered: reservation.number,
            acknowledged: reservation.acknowledged,
        })
        .collect();
    let written = app.together.write(&app.store, Submission { rows, entry, once, numbers, now }).await;
    let rows = match written {
        Ok(Written::Now(rows)) => rows,
        Ok(Written::Elsewhere(submission)) => {
            // They wait in the store, and whichever hub has the agents' waits is rung for.
            let Submission { rows, entry, once, .. } = *submission;
            let rows = hold_back(rows, lines);
            return Box::pin(write_and_hand_over(app, (rows, entry), once, Vec::new(), touched, now)).await;
        }
        other => {
            let may_stand = matches!(&other, Err(fault) if fault.is_unknown());
            for (_, reservation, taken) in lines {
                if may_stand && !taken.is_empty() { reservation.leave_open() } else { reservation.release() }
            }
            return match other {
                Ok(Written::Before(answer)) => read_answer(&answer),
                Err(fault) => Err(fault),
                Ok(Written::Now(_) | Written::Elsewhere(_)) => unreachable!("matched above"),
            };
        }
    };
    metrics::counter!("sortie_tasks_submitted_total").increment(rows.len() as u64);
    let submitted = answer_to(&rows);
    hand_over(app, rows, lines, touched)?;
    Ok(submitted)
}

/// Takes tasks back that were about to be handed over.
fn hold_back(mut rows: Vec<TaskRow>, lines: Vec<Reserved>) -> Vec<TaskRow> {
    for (_, reservation, taken) in lines {
        reservation.has_gone();
        for (id, before) in taken {
            if let Some(row) = rows.iter_mut().find(|row| row.id == id) {
                (row.life, row.delivery, row.claimed_at) = (before, 0, None);
            }
        }
    }
    rows
}

fn hand_over(app: &Shared, rows: Vec<TaskRow>, lines: Vec<Reserved>, touched: Vec<NodeId>) -> Result<(), Fault> {
    let types = app.types.load();
    let (mut claimed, mut waiting) = (Vec::new(), Vec::new());
    for row in rows {
        match row.life.state.status() {
            Status::InProgress => claimed.push(row),
            _ => waiting.push(row.node),
        }
    }
    for (_, reservation, taken) in lines {
        if taken.is_empty() {
            reservation.release();
            continue;
        }
        let mut parcel: Vec<HandedTask> = Vec::with_capacity(taken.len());
        for (id, _) in taken {
            let index = claimed.iter().position(|row| row.id == id);
            parcel.extend(index.map(|index| handed(&types, claimed.swap_remove(index))).transpose()?);
        }
        reservation.hand_over(parcel);
    }
    touched.into_iter().filter(|node| waiting.contains(node)).for_each(|node| app.waiting.ring(node));
    Ok(())
}

/// Adds a task to the store, and the event that says so.
pub(crate) async fn enter(tx: &mut Tx, row: &TaskRow) -> Result<(), Fault> {
    tasks::insert(tx, row).await?;
    Ok(record(tx, submitted_by(row)).await?)
}

/// The events of tasks that come in: that they do, and that they are handed out if they are.
pub(super) fn come_in<'a>(rows: impl IntoIterator<Item = &'a TaskRow>, now: Millis) -> Vec<Record<'a>> {
    let mut records = Vec::new();
    for row in rows {
        records.push(submitted_by(row));
        if row.life.state.status() == Status::InProgress {
            records.push(About { actor: "hub", now, ..about(row) }.claimed(&row.life, row.delivery));
        }
    }
    records
}

fn about(row: &TaskRow) -> About<'_> {
    let (org, node, task, type_name) = (row.org, row.node, row.id, row.type_name.as_str());
    About { org, node, task, type_name, actor: &row.submitted_by, now: row.submitted_at }
}

fn submitted_by(row: &TaskRow) -> Record<'_> {
    about(row).happened("task.submitted")
}
