//! Keeps leases alive: an agent says what it holds, and the renewals are written together.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use sortie_rules::ids::TaskId;
use sortie_rules::time::Millis;
use sortie_store::tasks;
use sortie_wire::heartbeat::{Heartbeat, Pulse};

use crate::app::App;
use crate::fault::Fault;
use crate::http::NodeCaller;

/// Renewals that are not written yet: the attempt that holds each task, and until when.
#[derive(Debug, Default)]
pub(crate) struct Renewals(Mutex<BTreeMap<TaskId, (u32, Millis)>>);

/// Hears what an agent holds. Its leases are renewed in memory; what it should know is answered.
pub(super) async fn renew(app: &App, caller: NodeCaller, heartbeat: Heartbeat) -> Result<Pulse, Fault> {
    let node = caller.node;
    let held = app.store.read(move |tx| Box::pin(async move { tasks::held_by(tx, node).await })).await?;
    let now = app.clock.now();
    let mut pulse = Pulse { now, cancel: Vec::new(), not_held: Vec::new() };
    let mut renewals = app.renewals.0.lock().unwrap_or_else(PoisonError::into_inner);
    for claim in heartbeat.held {
        match held.binary_search_by_key(&claim.task, |task| task.id).map(|index| &held[index]) {
            Ok(task) if task.attempt == claim.attempt => {
                renewals.insert(task.id, (task.attempt, now + task.lease));
                if task.cancel_asked {
                    pulse.cancel.push(task.id);
                }
            }
            _ => pulse.not_held.push(claim.task),
        }
    }
    Ok(pulse)
}

/// Writes renewals down. Returns how many leases were made longer.
pub(crate) async fn flush_renewals(app: &App) -> Result<u64, Fault> {
    let renewals = std::mem::take(&mut *app.renewals.0.lock().unwrap_or_else(PoisonError::into_inner));
    if renewals.is_empty() {
        return Ok(0);
    }
    let rows: Vec<_> = renewals.iter().map(|(task, (attempt, until))| (*task, *attempt, *until)).collect();
    let written = app.store.write(move |tx| Box::pin(async move { Ok(tasks::renew(tx, &rows).await?) })).await;
    written.inspect_err(|_: &Fault| {
        // What could not be written is still true: it goes with the next, unless that says more.
        let mut kept = app.renewals.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (task, renewal) in &renewals {
            kept.entry(*task).or_insert(*renewal);
        }
    })
}
