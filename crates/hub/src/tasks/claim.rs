//! Hands out what waits for a node: claims it and numbers the delivery in one transaction.

use sortie_rules::ids::NodeId;
use sortie_rules::limits::{DELIVERY_BYTES_MAX, TASKS_PER_DELIVERY_MAX};
use sortie_rules::tasks::{Task, claim};
use sortie_rules::time::{Millis, Span};
use sortie_store::Tx;
use sortie_store::nodes::{self, Numbered};
use sortie_store::tasks::{self, TaskRow};
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
    /// Whether the line is still this hub's. If not, something waits and nothing was handed out.
    pub(crate) is_here: bool,
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
        let (acknowledged, arrivals) = turn.line().map_or((0, 0), |line| (line.acknowledged, line.arrivals));
        let next = Numbered { node, arrivals, delivered: number, acknowledged };
        let now = app.clock.now();
        let room = room.min(TASKS_PER_DELIVERY_MAX);
        let verb = app.store.write_checked(move |tx| Box::pin(write(tx, next, (room, lease_min), now)));
        let written = verb.await;
        // What may have been written under the number is handed out again with the next wait.
        let may_stand = match &written {
            Ok(claimed) => matches!(claimed, Claimed::Under(_)),
            Err(fault) => fault.is_unknown(),
        };
        if !may_stand {
            turn.give_number_back();
        }
        written.map(|claimed| (claimed, number, turn))
    });
    let (claimed, number, turn) = work.await.map_err(|error| Fault::Broken(error.to_string()))??;
    let (rows, is_here) = match claimed {
        Claimed::Under(rows) => (rows, true),
        Claimed::Nothing => (Vec::new(), true),
        Claimed::Elsewhere => (Vec::new(), false),
    };
    let more = rows.len() >= room.min(TASKS_PER_DELIVERY_MAX) as usize
        || rows.iter().map(|row| row.payload.len()).sum::<usize>() > DELIVERY_BYTES_MAX / 2;
    let tasks = rows.into_iter().map(|row| handed(&types, row)).collect::<Result<Vec<_>, _>>()?;
    Ok((Found { number, tasks, more, is_here }, turn))
}

/// What a claim wrote.
enum Claimed {
    /// The number, and these under it.
    Under(Vec<TaskRow>),
    /// Nothing waits.
    Nothing,
    /// Something waits, but the line has gone to another hub.
    Elsewhere,
}

async fn write(tx: &mut Tx, next: Numbered, (room, lease_min): (u32, Span), now: Millis) -> Result<Claimed, Fault> {
    let Numbered { node, delivered: number, .. } = next;
    let rows = tasks::claimable(tx, node, now, room, DELIVERY_BYTES_MAX).await?;
    let mut taken: Vec<(TaskRow, Task)> = Vec::with_capacity(rows.len());
    for row in rows {
        let lease = row.life.lease.max(lease_min);
        if let Ok(after) = claim(&Task { lease, ..row.life.clone() }, now) {
            taken.push((row, after));
        }
    }
    if taken.is_empty() {
        return Ok(Claimed::Nothing);
    }
    // Before anything else: whoever has not got the line hands nothing out.
    if !nodes::set_line(tx, next).await? {
        return Ok(Claimed::Elsewhere);
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
    Ok(Claimed::Under(taken.into_iter().map(|(row, life)| TaskRow { life, ..row }).collect()))
}
