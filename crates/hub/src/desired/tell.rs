//! Tells nodes that their generation has risen: here at once, at other hubs when they follow the events.

use std::time::Duration;

use serde_json::Value;
use sortie_rules::ids::{NodeId, PublicationId};
use sortie_rules::limits::NODES_TOLD_OF_STATES_PER_SECOND;
use sortie_store::desired::publications::LayerKey;
use sortie_store::desired::{pins, publication_nodes, publications};
use sortie_store::events::Change;

use crate::app::Shared;
use crate::fault::Fault;

/// How long nodes are told at a go.
const BREATH: Duration = Duration::from_millis(50);
/// Nodes read at once.
const PAGE: u32 = 5000;

/// The generations of these nodes have risen. Their waits end, so many at a time.
pub(super) fn tell(app: &Shared, mut risen: Vec<(NodeId, u64)>) {
    risen.iter().for_each(|(node, _)| app.enforcements.changed(*node));
    // Whoever was told by this hub is not told again when it follows its own events.
    risen.retain(|(node, generation)| app.desired.generations.risen(*node, *generation));
    let at_a_go = NODES_TOLD_OF_STATES_PER_SECOND / usize::try_from(1000 / BREATH.as_millis()).unwrap_or(1);
    if risen.len() <= at_a_go {
        risen.iter().for_each(|(node, _)| app.waiting.end_wait(*node));
        return;
    }
    let app = app.clone();
    tokio::spawn(async move {
        for some in risen.chunks(at_a_go) {
            some.iter().for_each(|(node, _)| app.waiting.end_wait(*node));
            tokio::select! {
                () = tokio::time::sleep(BREATH) => {}
                () = app.stop.cancelled() => return,
            }
        }
    });
}

/// The generations of all nodes have risen for which this revision of a layer is meant.
pub(crate) async fn tell_having(app: &Shared, key: &LayerKey, revision: u64) -> Result<(), Fault> {
    let mut after = None;
    loop {
        let of = key.clone();
        let risen = app
            .store
            .read(move |tx| Box::pin(async move { pins::having(tx, &of, revision, after, PAGE).await }))
            .await?;
        let is_last = risen.len() < PAGE as usize;
        after = risen.last().map(|(node, _)| *node);
        tell(app, risen);
        if is_last {
            return Ok(());
        }
    }
}

/// Another hub, or this one, has changed what is meant for nodes.
pub(crate) async fn follow(app: &Shared, change: &Change) -> Result<(), Fault> {
    let data: Value = serde_json::from_str(&change.data).unwrap_or_default();
    let place = |name: &str| data[name].as_u64().and_then(|place| u32::try_from(place).ok());
    let publication = data["publication"].as_str().and_then(|id| id.parse::<PublicationId>().ok());
    match (publication, place("first"), place("last")) {
        (Some(id), Some(first), Some(last)) => {
            let given = app
                .store
                .read(move |tx| Box::pin(async move { publication_nodes::given_between(tx, id, first, last).await }))
                .await?;
            if change.kind == "desired.released" {
                tell(app, given.into_iter().map(|one| (one.node, one.generation)).collect());
                return Ok(());
            }
            for one in given {
                app.desired.generations.forget(one.node);
                app.enforcements.changed(one.node);
                app.waiting.end_wait(one.node);
            }
        }
        _ => {
            let Some(secret) = data["secret"].as_str().map(str::to_owned) else { return Ok(()) };
            let org = change.org;
            let rows = app
                .store
                .read(move |tx| Box::pin(async move { publications::referring(tx, org, &secret, None, PAGE).await }))
                .await?;
            for row in rows {
                tell_having(app, &row.key, row.revision).await?;
            }
        }
    }
    Ok(())
}
