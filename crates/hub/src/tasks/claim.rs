//! Hands out what waits for a node: claims it and numbers the delivery in one transaction.

use sortie_rules::ids::NodeId;
use sortie_rules::limits::{DELIVERY_BYTES_MAX, TASKS_PER_DELIVERY_MAX};
use sortie_rules::tasks::{Task, claim};
use sortie_rules::time::{Millis, Span};
use sortie_store::tasks::{self, TaskRow};
use sortie_store::{Tx, nodes};
use sortie_wire::deliveries::HandedTask;

use super::delivery::handed;
use super::events::About;
use crate::app::Shared;
use crate::events::record_all;
use crate::fault::Fault;
use crate::waiting::Turn;

/// What a look at the queue found.
pub(crate) struct Found {
    /// The delivery's number.
    pub(crate) number: u64,
    /// What it carries; empty if nothing waits.
    pub(crate) tasks: Vec<HandedTask>,
    /// There may be more than there was room for.
    pub(crate) more: bool,
}

/// Claims up to `room` tasks of a node. It runs to its end even if the asker hangs up: the turn is
/// given on only when it is known what was handed out. Leases last at least `lease_min`.
pub(crate) async fn claim_waiting(
    app: &Shared,
    node: NodeId,
    room: u32,
    lease_min: Span,
    turn: Turn,
) -> Result<(Found, Turn), Fault> {
    let (app, types) = (app.clone(), app.types.load_full());
    let work = tokio::spawn(async move {
        let mut turn = turn;
        let number = turn.take_number();
        let acknowledged = turn.line().map_or(0, |line| line.acknowledged);
        let now = app.clock.now();
        let room = room.min(TASKS_PER_DELIVERY_MAX);
        let verb =
            app.store.write_checked(move |tx| Box::pin(write(tx, node, (room, lease_min), number, acknowledged, now)));
        let written = verb.await;
        // What may have been written under the number is handed out again with the next wait.
        let may_stand = match &written {
            Ok(rows) => !rows.is_empty(),
            Err(fault) => fault.is_unknown(),
        };
        if !may_stand {
            turn.give_number_back();
        }
        written.map(|rows| (rows, number, turn))
    });
    let (rows, number, turn) = work.await.map_err(|error| Fault::Broken(error.to_string()))??;
    let more = rows.len() >= room.min(TASKS_PER_DELIVERY_MAX) as usize
        || rows.iter().map(|row| row.payload.len()).sum::<usize>() > DELIVERY_BYTES_MAX / 2;
    let tasks = rows.into_iter().map(|row| handed(&types, row)).collect::<Result<Vec<_>, _>>()?;
    Ok((Found { number, tasks, more }, turn))
}

async fn write(
    tx: &mut Tx,
    node: NodeId,
    (room, lease_min): (u32, Span),
    number: u64,
    acknowledged: u64,
    now: Millis,
) -> Result<Vec<TaskRow>, Fault> {
    let rows = tasks::claimable(tx, node, now, room, DELIVERY_BYTES_MAX).await?;
    let mut taken: Vec<(TaskRow, Task)> = Vec::with_capacity(rows.len());
    for row in rows {
        let lease = row.life.lease.max(lease_min);
        if let Ok(after) = claim(&Task { lease, ..row.life.clone() }, now) {
            taken.push((row, after));
        }
    }
    let claims: Vec<_> = taken.iter().map(|(row, after)| (row.id, &row.life, after)).collect();
    let claimed = tasks::claim_all(tx, &claims, number, now).await?;
    taken.retain(|(row, _)| claimed.contains(&row.id));
    let mut records = Vec::with_capacity(taken.len());
    for (row, after) in &taken {
        let (org, task, type_name) = (row.org, row.id, row.type_name.as_str());
        records.push(About { org, node, task, type_name, actor: "hub", now }.claimed(after, number));
    }
    record_all(tx, &records).await?;
    if !taken.is_empty() {
        nodes::set_line(tx, node, number, acknowledged).await?;
    }
    Ok(taken.into_iter().map(|(row, life)| TaskRow { life, ..row }).collect())
}
