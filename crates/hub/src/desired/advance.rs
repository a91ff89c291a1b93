//! The loop that brings publications forward. It rereads each one that is not over, asks the rule what is next, and
//! does that; a restart, or a second hub, needs no other way.

use std::collections::HashMap;

use serde_json::json;
use sortie_rules::desired::{
    Counts, Hearing, Next, NodeStage, PublicationStatus, are_away, has_converged, is_too_late, next,
};
use sortie_rules::ids::{NodeId, PublicationId};
use sortie_rules::limits::{AWAY_AFTER, PUBLICATION_HEARD_WITHIN};
use sortie_rules::time::Millis;
use sortie_store::desired::pins;
use sortie_store::desired::publication_nodes::{self as places, Given, Released};
use sortie_store::desired::publications::{self, PublicationRow};
use sortie_store::{StoreError, Tx};

use super::tell::tell;
use crate::app::Shared;
use crate::events::{self, Record};
use crate::fault::Fault;

/// Publications read at once.
const OPEN_PAGE: u32 = 1000;
/// Nodes that get something in one transaction, so that others get their turn at the store.
const BATCH: u32 = 1000;
/// Nodes that wait, looked through for those that are there; and nodes that are waited for, read at once.
const LOOK_THROUGH: u32 = 100_000;

/// Takes a step with every publication that is not over. Returns how many steps were taken.
pub(crate) async fn advance_all(app: &Shared) -> Result<u64, Fault> {
    let (mut after, mut steps, mut failed, mut open) = (None, 0, None, 0);
    loop {
        let page =
            app.store.read(move |tx| Box::pin(async move { publications::open(tx, after, OPEN_PAGE).await })).await?;
        for publication in &page {
            // One that cannot go on does not hold up the others.
            match advance(app, *publication).await {
                Ok(stepped) => steps += u64::from(stepped),
                Err(error) => failed = Some(error),
            }
        }
        open += page.len();
        after = page.last().copied();
        if page.len() < OPEN_PAGE as usize {
            break;
        }
    }
    app.desired.set_open(open);
    if steps > 0 {
        // What was done may make room for more.
        app.desired.nudge_new();
    }
    failed.map_or(Ok(steps), Err)
}

/// What was read of a publication.
struct Look {
    row: PublicationRow,
    stages: HashMap<NodeStage, u32>,
    waiting: Vec<(u32, NodeId)>,
    released: Vec<Released>,
}

/// Takes one step. `false` if there was nothing to do.
async fn advance(app: &Shared, id: PublicationId) -> Result<bool, Fault> {
    let now = app.clock.now();
    let look = app.store.read(move |tx| Box::pin(async move { look(tx, id).await })).await?;
    let Some(Look { row, stages, waiting, released }) = look else { return Ok(false) };
    let (converged, failed) = ended(&row, &released, now);
    if !converged.is_empty() || !failed.is_empty() {
        return end(app, row, converged, failed, now).await;
    }
    let count = |stage| stages.get(&stage).copied().unwrap_or(0);
    let there: Vec<(u32, NodeId)> = waiting
        .iter()
        .filter(|(_, node)| app.presence.was_heard_within(*node, PUBLICATION_HEARD_WITHIN))
        .copied()
        .collect();
    let is_there = u32::try_from(there.len()).unwrap_or(u32::MAX);
    let counts = Counts {
        waiting: is_there,
        away: count(NodeStage::Waiting).saturating_sub(is_there),
        released: count(NodeStage::Released),
        converged: count(NodeStage::Converged),
        failed: count(NodeStage::Failed),
    };
    let has_it = NodeStage::ALL.into_iter().filter(|stage| stage.has_it()).map(count).sum();
    match next(&row.life, &counts, has_it) {
        Next::Rest => Ok(false),
        Next::Release(room) => {
            let chosen = there.into_iter().take(room.min(BATCH) as usize).collect();
            give(app, row, chosen, NodeStage::Released, now).await
        }
        Next::Give if row.life.at_a_time.is_some() && !are_away(hearing(app, &waiting, now)) => Ok(false),
        Next::Give => {
            let chosen = waiting.into_iter().take(BATCH as usize).collect();
            give(app, row, chosen, NodeStage::Given, now).await
        }
        Next::TakeBack => take_back(app, row, now).await,
        Next::Become(status) => go_over(app, row, status, now).await,
    }
}

/// What this hub knows of nodes that it does not hear. One may be heard by another hub, which says so now and then.
fn hearing(app: &Shared, waiting: &[(u32, NodeId)], now: Millis) -> Hearing {
    Hearing {
        leads: app.leader.leads(app),
        is_alone: app.store.engine() != "postgres",
        has_listened: now.since(app.listening_since) >= PUBLICATION_HEARD_WITHIN,
        was_heard: waiting.iter().any(|(_, node)| app.presence.was_heard_within(*node, AWAY_AFTER)),
    }
}

async fn look(tx: &mut Tx, id: PublicationId) -> Result<Option<Look>, StoreError> {
    let Some(row) = publications::get_any_org(tx, id).await? else { return Ok(None) };
    let stages = places::counts(tx, id).await?.into_iter().collect();
    let is_staged = row.life.at_a_time.is_some();
    let waiting = match row.life.status {
        PublicationStatus::Running => {
            let most = if is_staged { LOOK_THROUGH } else { BATCH };
            places::at_stage(tx, id, NodeStage::Waiting, 0, most).await?
        }
        _ => Vec::new(),
    };
    let released = match (row.life.status, is_staged) {
        (PublicationStatus::Running, true) => places::released(tx, id, 0, LOOK_THROUGH).await?,
        _ => Vec::new(),
    };
    Ok(Some(Look { row, stages, waiting, released }))
}

/// The places of nodes that are in order by now, and of those that had their time.
fn ended(row: &PublicationRow, released: &[Released], now: Millis) -> (Vec<u32>, Vec<u32>) {
    let is_in_order = |one: &Released| {
        one.observed.is_some_and(|(generation, standing)| has_converged(one.generation, generation, standing))
    };
    let (converged, others): (Vec<&Released>, Vec<&Released>) = released.iter().partition(|one| is_in_order(one));
    let failed = others.into_iter().filter(|one| is_too_late(one.released_at, row.life.within, now));
    (converged.into_iter().map(|one| one.position).collect(), failed.map(|one| one.position).collect())
}

async fn end(
    app: &Shared,
    row: PublicationRow,
    converged: Vec<u32>,
    failed: Vec<u32>,
    now: Millis,
) -> Result<bool, Fault> {
    app.store
        .write(move |tx| {
            Box::pin(async move {
                if publications::take_turn(tx, row.id, row.turn).await? {
                    places::end(tx, row.id, NodeStage::Converged, &converged, now).await?;
                    places::end(tx, row.id, NodeStage::Failed, &failed, now).await?;
                }
                Ok::<_, Fault>(true)
            })
        })
        .await
}

/// Gives nodes the state.
async fn give(
    app: &Shared,
    row: PublicationRow,
    chosen: Vec<(u32, NodeId)>,
    stage: NodeStage,
    now: Millis,
) -> Result<bool, Fault> {
    if chosen.is_empty() {
        return Ok(false);
    }
    let given = app
        .store
        .write(move |tx| {
            Box::pin(async move {
                if !publications::take_turn(tx, row.id, row.turn).await? {
                    return Ok(Vec::new());
                }
                let given = pins::give(tx, row.key.layer, row.revision, &chosen, now).await?;
                places::give(tx, row.id, stage, &given, now).await?;
                told_of(tx, &row, "desired.released", &given, now).await?;
                Ok::<_, Fault>(given)
            })
        })
        .await?;
    tell(app, given.into_iter().map(|one| (one.node, one.generation)).collect());
    Ok(true)
}

/// Gives nodes what they had before.
async fn take_back(app: &Shared, row: PublicationRow, now: Millis) -> Result<bool, Fault> {
    let risen = app
        .store
        .write(move |tx| {
            Box::pin(async move {
                if !publications::take_turn(tx, row.id, row.turn).await? {
                    return Ok(HashMap::new());
                }
                let given = places::having(tx, row.id, BATCH).await?;
                let risen = pins::take_back(tx, &row.key, row.revision, &given, now).await?;
                let positions: Vec<u32> = given.iter().map(|one| one.position).collect();
                places::take_back(tx, row.id, &positions).await?;
                told_of(tx, &row, "desired.taken_back", &given, now).await?;
                Ok::<_, Fault>(risen)
            })
        })
        .await?;
    tell(app, risen.into_iter().collect());
    Ok(true)
}

/// Goes over to another status; with the end, who still waits is left out.
async fn go_over(app: &Shared, row: PublicationRow, status: PublicationStatus, now: Millis) -> Result<bool, Fault> {
    let kind = match status {
        PublicationStatus::Completed => "desired.completed",
        PublicationStatus::Stopped => "desired.stopped",
        PublicationStatus::RolledBack => "desired.rolled_back",
        PublicationStatus::RollingBack => "desired.failed_too_often",
        PublicationStatus::Running | PublicationStatus::Superseded => {
            return Err(Fault::Broken(format!("publication {}: {} is not for the loop", row.id, status.as_str())));
        }
    };
    app.store
        .write(move |tx| {
            Box::pin(async move {
                if !publications::take_turn(tx, row.id, row.turn).await? {
                    return Ok(true);
                }
                // A node may have come in since it was looked.
                let is_done = status != PublicationStatus::Completed
                    || places::at_stage(tx, row.id, NodeStage::Waiting, 0, 1).await?.is_empty();
                if !is_done {
                    return Ok(true);
                }
                places::let_go(tx, row.id).await?;
                publications::set_status(tx, row.id, status, status.is_terminal().then_some(now)).await?;
                told(tx, &row, kind, "hub", now).await?;
                Ok::<_, Fault>(true)
            })
        })
        .await
}

/// Writes down that something happened to a publication.
pub(super) async fn told(
    tx: &mut Tx,
    row: &PublicationRow,
    kind: &'static str,
    actor: &str,
    now: Millis,
) -> Result<(), StoreError> {
    let data = json!({
        "publication": row.id, "layer": row.key.layer, "of": row.key.of, "revision": row.revision, "nodes": row.nodes,
    });
    events::record(tx, Record::new(row.key.org, now, kind, actor).data(&data)).await
}

/// The same of nodes that got something in one step: one event for all of them, with the first and the last of their
/// places in the publication.
async fn told_of(
    tx: &mut Tx,
    row: &PublicationRow,
    kind: &'static str,
    given: &[Given],
    now: Millis,
) -> Result<(), StoreError> {
    let places = given.iter().map(|one| one.position);
    let data = json!({
        "publication": row.id, "layer": row.key.layer, "of": row.key.of, "revision": row.revision,
        "nodes": given.len(), "first": places.clone().min(), "last": places.max(),
    });
    events::record(tx, Record::new(row.key.org, now, kind, "hub").data(&data)).await
}
