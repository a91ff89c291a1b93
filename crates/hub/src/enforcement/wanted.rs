//! What is meant to be enforced for a node: of the layers that are published and pinned for it, the resources whose
//! kind names an enforcer.

use std::collections::{BTreeMap, BTreeSet};

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::Value;
use sortie_rules::desired::{Drift, Resource, ResourceKey, merge, read};
use sortie_rules::enforcement::{BadSpec, Enforcer, GeoRules, read_geo};
use sortie_store::Tx;
use sortie_store::desired::pins::PinsRow;

use crate::app::App;
use crate::fault::Fault;
use crate::packs::ResourceKinds;

/// What is meant for one node.
#[derive(Debug, Default)]
pub(super) struct Meant {
    /// What is to be enforced.
    pub(super) wanted: BTreeMap<ResourceKey, Wanted>,
    /// What is meant too and cannot be enforced as things are, and why: its spec does not fit any more.
    pub(super) unusable: BTreeMap<ResourceKey, BadSpec>,
    /// What is meant and not for the hub to enforce, at least not now: a pack may be gone. Rules that were made for one
    /// of these stay.
    pub(super) others: BTreeSet<ResourceKey>,
}

/// One resource that is to be enforced.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) enforcer: Enforcer,
    pub(super) rules: GeoRules,
    pub(super) drift: Drift,
    /// Tells it from any other.
    pub(super) hash: String,
}

/// What is meant for a node with these pins; nothing if what is meant cannot be read.
pub(super) async fn of_node(
    tx: &mut Tx,
    app: &App,
    kinds: &ResourceKinds,
    pins: &PinsRow,
    is_shut_out: bool,
) -> Result<Option<Meant>, Fault> {
    if is_shut_out {
        return Ok(Some(Meant::default()));
    }
    let mut states = Vec::new();
    for (key, revision) in pins.layers() {
        states.push(app.desired.state(tx, &key, revision).await?);
    }
    let resources = read(&merge(states.iter().map(|state| &**state)));
    Ok(resources.ok().map(|resources| {
        let mut meant = Meant::default();
        for (key, resource) in resources {
            match kinds.get(&key.kind).and_then(|kind| kind.described.enforcer) {
                None => drop(meant.others.insert(key)),
                Some(enforcer) => match of_resource(enforcer, &resource) {
                    Ok(wanted) => drop(meant.wanted.insert(key, wanted)),
                    Err(bad) => drop(meant.unusable.insert(key, bad)),
                },
            }
        }
        meant
    }))
}

/// Whether any layer of a node speaks of a kind that the hub enforces: only then the layers are merged.
pub(super) async fn is_spoken_of(tx: &mut Tx, app: &App, kinds: &ResourceKinds, pins: &PinsRow) -> Result<bool, Fault> {
    let is_enforced = |name: &String| name.split_once('/').is_some_and(|(kind, _)| kinds.is_enforced(kind));
    for (key, revision) in pins.layers() {
        let state = app.desired.state(tx, &key, revision).await?;
        if state.get("resources").and_then(Value::as_object).is_some_and(|named| named.keys().any(is_enforced)) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn of_resource(enforcer: Enforcer, resource: &Resource) -> Result<Wanted, BadSpec> {
    let rules = match enforcer {
        Enforcer::Geo => read_geo(&resource.spec)?,
    };
    let said = serde_json::to_vec(&rules).unwrap_or_default();
    let hash = hex::encode(digest(&SHA256, &said));
    Ok(Wanted { enforcer, rules, drift: resource.drift, hash })
}
