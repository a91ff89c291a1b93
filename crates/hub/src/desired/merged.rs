//! What the layers of a node come to: what it is given, and what it may speak of. Nodes without a layer of their own
//! share that with others, so it is worked out once for all of them.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use sortie_rules::desired::{ResourceKey, Resources, merge, read, without_hidden};
use sortie_rules::limits::STATES_IN_MEMORY_MAX;
use sortie_store::Tx;
use sortie_store::desired::pins::PinsRow;
use sortie_store::desired::publications::LayerKey;

use super::check::usable;
use super::node::parts;
use crate::app::App;
use crate::fault::Fault;
use crate::packs::ResourceKinds;

/// Layers, each with its revision.
type Revisions = Vec<(LayerKey, u64)>;

/// What revisions of layers come to. They never change, but the resource kinds do by which they were checked.
#[derive(Debug, Default)]
pub(super) struct MergedLayers(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    kinds: Arc<ResourceKinds>,
    merged: HashMap<Revisions, Arc<Resources>>,
}

impl MergedLayers {
    fn get(&self, kinds: &Arc<ResourceKinds>, layers: &[(LayerKey, u64)]) -> Option<Arc<Resources>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.merged.get(layers).filter(|_| Arc::ptr_eq(&known.kinds, kinds)).cloned()
    }

    fn put(&self, kinds: &Arc<ResourceKinds>, layers: Revisions, resources: &Arc<Resources>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !Arc::ptr_eq(&known.kinds, kinds) || known.merged.len() >= STATES_IN_MEMORY_MAX {
            known.merged.clear();
            known.kinds = Arc::clone(kinds);
        }
        known.merged.insert(layers, Arc::clone(resources));
    }
}

/// The resources of a node, without those that the hub enforces, and without what never leaves the hub.
///
/// # Errors
/// They cannot be used: a pack that described them is gone, or says otherwise now.
pub(super) async fn resources(tx: &mut Tx, app: &App, pins: &PinsRow) -> Result<Arc<Resources>, Fault> {
    let kinds = app.kinds.load_full();
    let shared = (pins.node_revision == 0).then(|| pins.layers());
    if let Some(known) = shared.as_ref().and_then(|layers| app.desired.merged.get(&kinds, layers)) {
        return Ok(known);
    }
    let resources = Arc::new(for_node(&kinds, &whole(tx, app, pins).await?)?);
    if let Some(layers) = shared {
        app.desired.merged.put(&kinds, layers, &resources);
    }
    Ok(resources)
}

/// Which resources a node may speak of: those that it was given, and, where they cannot be used any more, those that it
/// may have from before.
pub(super) async fn keys(tx: &mut Tx, app: &App, pins: &PinsRow) -> Result<BTreeSet<ResourceKey>, Fault> {
    match resources(tx, app, pins).await {
        Ok(resources) => Ok(resources.keys().cloned().collect()),
        Err(Fault::Problem(_)) => {
            let kinds = app.kinds.load();
            let named = read(&whole(tx, app, pins).await?).unwrap_or_default().into_keys();
            Ok(named.filter(|key| !kinds.is_enforced(&key.kind)).collect())
        }
        Err(fault) => Err(fault),
    }
}

async fn whole(tx: &mut Tx, app: &App, pins: &PinsRow) -> Result<Value, Fault> {
    let parts = parts(tx, app, pins).await?;
    Ok(merge(parts.iter().map(|part| &part.state)))
}

fn for_node(kinds: &ResourceKinds, whole: &Value) -> Result<Resources, Fault> {
    let mut resources = usable(kinds, whole, None, &mut BTreeSet::new())?;
    // What the hub enforces is not the node's to know of, not even by name.
    resources.retain(|key, _| !kinds.is_enforced(&key.kind));
    for (key, resource) in &mut resources {
        resource.after.retain(|other| !kinds.is_enforced(&other.kind));
        let hidden = kinds.get(&key.kind).map(|kind| kind.described.hub_only.as_slice()).unwrap_or_default();
        resource.spec = without_hidden(std::mem::take(&mut resource.spec), hidden);
    }
    Ok(resources)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packs::base;
    use serde_json::json;
    use sortie_rules::desired::Layer;
    use sortie_rules::ids::Id;
    use uuid::Uuid;

    fn layers(revision: u64) -> Revisions {
        let org = Id::from_uuid(Uuid::from_u128(1));
        vec![(LayerKey { org, layer: Layer::Org, of: String::new() }, revision)]
    }

    #[test]
    fn what_was_merged_counts_for_its_revisions_and_the_kinds_that_it_was_checked_by() {
        let memory = MergedLayers::default();
        let kinds = Arc::new(base().kinds);
        let state = json!({"resources": {"file/a": {"spec": {"path": "/etc/a", "content": "x"}}}});
        let merged = Arc::new(for_node(&kinds, &state).unwrap());
        memory.put(&kinds, layers(1), &merged);
        assert!(memory.get(&kinds, &layers(1)).is_some_and(|known| Arc::ptr_eq(&known, &merged)));
        assert!(memory.get(&kinds, &layers(2)).is_none(), "another revision says something else");
        let others = Arc::new(base().kinds);
        assert!(memory.get(&others, &layers(1)).is_none(), "other packs may refuse it");
        memory.put(&others, layers(2), &merged);
        assert!(memory.get(&kinds, &layers(1)).is_none() && memory.get(&others, &layers(1)).is_none());
        assert!(memory.get(&others, &layers(2)).is_some());
    }

    #[test]
    fn it_does_not_grow_without_end() {
        let (memory, kinds) = (MergedLayers::default(), Arc::new(base().kinds));
        let nothing = Arc::new(Resources::new());
        let kept = |memory: &MergedLayers| memory.0.lock().unwrap().merged.len();
        for revision in 1..=(2 * STATES_IN_MEMORY_MAX as u64) {
            memory.put(&kinds, layers(revision), &nothing);
            assert!(kept(&memory) <= STATES_IN_MEMORY_MAX);
            assert!(memory.get(&kinds, &layers(revision)).is_some());
        }
    }
}
