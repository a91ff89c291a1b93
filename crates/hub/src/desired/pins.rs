//! What is meant for a node that comes in, or goes over to another site: what stands there.

use sortie_rules::desired::Layer;
use sortie_rules::ids::{NodeId, OrgId};
use sortie_rules::time::Millis;
use sortie_store::desired::pins::{self, PinsRow};
use sortie_store::desired::publications::{self, LayerKey};
use sortie_store::desired::{observed, publication_nodes};
use sortie_store::{StoreError, Tx};

/// A node has come in: what stands is meant for it, and what goes out reaches it with the others. One that came anew,
/// with another key, keeps what is meant for it, and what its former agent has said is forgotten.
pub(crate) async fn enter(
    tx: &mut Tx,
    org: OrgId,
    node: NodeId,
    site: Option<&str>,
    now: Millis,
) -> Result<(), StoreError> {
    observed::forget(tx, node).await?;
    if pins::get(tx, node).await?.is_some() {
        return Ok(());
    }
    let org_layer = LayerKey { org, layer: Layer::Org, of: String::new() };
    let org_revision = publications::standing(tx, &org_layer).await?;
    let site_revision = come_to_site(tx, org, node, site).await?;
    let generation = u64::from(org_revision > 0 || site_revision > 0);
    let (site, node_revision) = (site.map(str::to_owned), 0);
    let row = PinsRow { node, org, site, generation, org_revision, site_revision, node_revision, changed_at: now };
    pins::put(tx, &row).await?;
    join(tx, &org_layer, node).await
}

/// A node has gone over to another site, or to none.
pub(crate) async fn change_site(
    tx: &mut Tx,
    org: OrgId,
    node: NodeId,
    site: Option<&str>,
    now: Millis,
) -> Result<(), StoreError> {
    let Some(before) = pins::get(tx, node).await? else { return enter(tx, org, node, site, now).await };
    if before.site.as_deref() == site {
        return Ok(());
    }
    if let Some(of) = before.site {
        let left = LayerKey { org, layer: Layer::Site, of };
        if let Some(running) = publications::going_out(tx, &left).await? {
            publication_nodes::leave(tx, running.id, node).await?;
        }
    }
    let site_revision = come_to_site(tx, org, node, site).await?;
    let is_changed = site_revision > 0 || before.site_revision > 0;
    let generation = before.generation + u64::from(is_changed);
    let row = PinsRow { site: site.map(str::to_owned), generation, site_revision, changed_at: now, ..before };
    pins::put(tx, &row).await
}

/// The revision that stands at a site; what goes out there reaches the node with the others.
async fn come_to_site(tx: &mut Tx, org: OrgId, node: NodeId, site: Option<&str>) -> Result<u64, StoreError> {
    let Some(site) = site else { return Ok(0) };
    let key = LayerKey { org, layer: Layer::Site, of: site.to_owned() };
    join(tx, &key, node).await?;
    publications::standing(tx, &key).await
}

async fn join(tx: &mut Tx, key: &LayerKey, node: NodeId) -> Result<(), StoreError> {
    let Some(running) = publications::going_out(tx, key).await? else { return Ok(()) };
    let is_for_all = running.selector.is_none();
    if !is_for_all || publication_nodes::come_back(tx, running.id, node).await? {
        return Ok(());
    }
    match publications::grow(tx, running.id).await? {
        Some(position) => publication_nodes::insert_all(tx, running.id, position, &[node]).await,
        None => Ok(()),
    }
}
