//! Takes tasks of a job back.

use std::sync::Arc;

use sortie_rules::ids::{NodeId, TaskId};
use sortie_rules::tasks::Status;
use sortie_rules::time::Millis;
use sortie_store::Tx;
use sortie_store::jobs::{self, JobRow};
use sortie_store::tasks;

use super::advance::BATCH;
use crate::app::Shared;
use crate::fault::Fault;
use crate::packs::TaskTypes;
use crate::tasks::call_off;

/// Takes tasks back that nobody has begun, and asks what is under way to stop.
pub(super) async fn withdraw(app: &Shared, row: JobRow, under_way: bool, now: Millis) -> Result<bool, Fault> {
    let id = row.id;
    let found =
        app.store.read(move |tx| Box::pin(async move { jobs::to_withdraw(tx, id, under_way, BATCH).await })).await?;
    let why = if under_way { "its job was cancelled" } else { "its job was stopped: too many nodes failed" };
    call_off_all(app, row, found, why, now).await
}

/// Calls tasks of a job off. `false` if there were none.
pub(super) async fn call_off_all(
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
            app.waiting.ring_ended(*task);
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
