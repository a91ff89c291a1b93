//! What is meant for one node, layer by layer, and what it says of it.

use serde_json::Value;
use sortie_rules::desired::{Layer, Standing, merge, origins, stands_now};
use sortie_rules::ids::NodeId;
use sortie_store::Tx;
use sortie_store::desired::observed::{self, ObservedRow};
use sortie_store::desired::pins::{self, PinsRow};
use sortie_wire::desired::{LayerPart, NodeDesired, NodeObserved, Observed, PolicyUnusable};

use super::layer::of;
use crate::app::{App, Shared};
use crate::enforcement;
use crate::fault::Fault;
use crate::people::Principal;

/// What is meant for a node, and how it stands to it.
pub(super) async fn show(app: &Shared, who: &Principal, node: &str) -> Result<NodeDesired, Fault> {
    let known = app.nodes.find_named(&app.store, who.org, node).await?;
    let (shared, id) = (app.clone(), known.id);
    let (pins, parts, said, enforced) = app
        .store
        .read(move |tx| {
            Box::pin(async move {
                let (mut all, mut enforced) = (Vec::new(), Vec::new());
                let pins = pins::with_end(tx, id).await?;
                if let Some((pins, is_shut_out)) = &pins {
                    all = parts(tx, &shared, pins).await?;
                    enforced = enforcement::shown(tx, &shared, pins, *is_shut_out).await?;
                }
                Ok::<_, Fault>((pins.map(|(pins, _)| pins), all, observed::get(tx, id).await?, enforced))
            })
        })
        .await?;
    let generation = pins.as_ref().map_or(0, |pins| pins.generation);
    let layers: Vec<(Layer, &Value)> = parts.iter().map(|part| (part.layer, &part.state)).collect();
    let state = merge(layers.iter().map(|(_, state)| *state));
    Ok(NodeDesired {
        node: id,
        node_name: known.name.clone(),
        generation,
        released_at: pins.filter(|_| generation > 0).map(|pins| pins.changed_at),
        origins: origins(&layers),
        state,
        observed: said.map(|said| shown(said, generation)).transpose()?,
        layers: parts,
        enforced,
    })
}

/// What the layers of a node say.
pub(super) async fn parts(tx: &mut Tx, app: &App, pins: &PinsRow) -> Result<Vec<LayerPart>, Fault> {
    let mut parts = Vec::new();
    for (key, revision) in pins.layers() {
        let state = app.desired.state(tx, &key, revision).await?;
        parts.push(LayerPart { layer: key.layer, of: of(&key), revision, state: (*state).clone() });
    }
    Ok(parts)
}

/// Why the policy of a node's site cannot be used, as far as the node has told.
pub(crate) async fn policy_unusable(tx: &mut Tx, node: NodeId) -> Result<Option<PolicyUnusable>, Fault> {
    match observed::get(tx, node).await? {
        // Whoever cannot read the policy fails; of the others nobody needs to read more.
        Some(row) if row.standing == Standing::Failing => Ok(read(&row)?.policy_unusable),
        _ => Ok(None),
    }
}

fn shown(row: ObservedRow, meant: u64) -> Result<NodeObserved, Fault> {
    let said = Some((row.generation, row.standing));
    let standing = stands_now(said, meant).unwrap_or(row.standing);
    Ok(NodeObserved { standing, heard_at: row.heard_at, observed: read(&row)? })
}

fn read(row: &ObservedRow) -> Result<Observed, Fault> {
    let unreadable = |error| Fault::Broken(format!("what the node {} has said: {error}", row.node));
    serde_json::from_str(&row.document).map_err(unreadable)
}
