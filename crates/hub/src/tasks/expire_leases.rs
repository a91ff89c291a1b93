//! Takes back what an agent has not spoken of in time, and ends what waited too long.

use std::sync::Arc;

use sortie_rules::hearing::known_until;
use sortie_rules::ids::{NodeId, TaskId};
use sortie_rules::tasks::{Status, Task, expire, lapse};
use sortie_rules::time::Millis;
use sortie_store::Tx;
use sortie_store::tasks::{self, Stamps, TaskLife};

use super::events::changed;
use super::renew::flush_renewals;
use crate::app::App;
use crate::fault::Fault;
use crate::packs::TaskTypes;

/// Most tasks taken back in one transaction.
const BATCH: u32 = 1000;

/// Ends leases whose deadline has passed and tasks whose time has. Returns how many changed.
///
/// Where there are other hubs, a lease ends `RENEWALS_WRITTEN_WITHIN` (3 seconds) after its deadline: as long as what
/// agents said there may be on its way into the database. And none ends before one whole lease has passed since this
/// hub began to hear agents, or could again.
pub(crate) async fn expire_leases(app: &App) -> Result<u64, Fault> {
    // What agents have said counts before what they have not.
    flush_renewals(app).await?;
    let now = app.clock.now();
    let known_until = known_until(now, app.store.engine() == "postgres");
    let due = app
        .store
        .read(move |tx| {
            Box::pin(async move {
                let lapsed = tasks::lapsed(tx, known_until, 1).await?;
                let overdue = tasks::overdue(tx, now, 1).await?;
                Ok::<_, Fault>(!lapsed.is_empty() || !overdue.is_empty())
            })
        })
        .await?;
    let hears_since = app.hearing.reached(app);
    if !due {
        return Ok(0);
    }
    let types = app.types.load_full();
    let changes = app.store.write(move |tx| Box::pin(write(tx, types, now, (known_until, hears_since)))).await?;
    for (task, node, status) in &changes {
        match status {
            Status::Pending => app.waiting.ring(*node),
            _ => app.waiting.ring_ended(*task),
        }
    }
    metrics::counter!("sortie_leases_lapsed_total").increment(changes.len() as u64);
    Ok(changes.len() as u64)
}

async fn write(
    tx: &mut Tx,
    types: Arc<TaskTypes>,
    now: Millis,
    (known_until, hears_since): (Millis, Millis),
) -> Result<Vec<(TaskId, NodeId, Status)>, Fault> {
    let mut changes = Vec::new();
    for row in tasks::lapsed(tx, known_until, BATCH).await? {
        let after = lapse(&row.life, known_until, hears_since);
        changes
            .extend(take_back(tx, &types, &row, after.ok(), "the agent did not report within its lease", now).await?);
    }
    for row in tasks::overdue(tx, now, BATCH).await? {
        let after = expire(&row.life, now);
        changes.extend(
            take_back(tx, &types, &row, after.ok(), "its time passed before an agent asked for it", now).await?,
        );
    }
    Ok(changes)
}

async fn take_back(
    tx: &mut Tx,
    types: &TaskTypes,
    row: &TaskLife,
    after: Option<Task>,
    message: &str,
    now: Millis,
) -> Result<Option<(TaskId, NodeId, Status)>, Fault> {
    let Some(after) = after else { return Ok(None) };
    let status = after.state.status();
    let stamps =
        Stamps { finished_at: status.is_terminal().then_some(now), message: Some(message), ..Stamps::default() };
    if !tasks::update(tx, row.id, &row.life, &after, &stamps).await? {
        return Ok(None);
    }
    changed(tx, types, row, &after, ("hub", now)).await?;
    Ok(Some((row.id, row.node, status)))
}
