//! Who uses a secret: the layers of which a revision refers to it that stands, goes out, or is meant for any node.

use std::collections::BTreeSet;

use sortie_rules::desired::{Layer, LayerName};
use sortie_rules::ids::OrgId;
use sortie_rules::limits::PAGE_MAX;
use sortie_store::desired::pins;
use sortie_store::desired::publications::{self, LayerKey, PublicationRow};
use sortie_store::{StoreError, Tx, nodes};

/// The layers that use a secret, as people name them.
pub(super) async fn of(tx: &mut Tx, org: OrgId, name: &str) -> Result<Vec<String>, StoreError> {
    let mut used_by = BTreeSet::new();
    for publication in referring(tx, org, name).await? {
        if is_used(tx, &publication).await? {
            used_by.insert(name_of(tx, &publication.key).await?);
        }
    }
    Ok(used_by.into_iter().collect())
}

/// Every revision of an org that refers to a secret.
pub(super) async fn referring(tx: &mut Tx, org: OrgId, name: &str) -> Result<Vec<PublicationRow>, StoreError> {
    let mut all = Vec::new();
    loop {
        let before = all.last().map(|row: &PublicationRow| row.id);
        let page = publications::referring(tx, org, name, before, PAGE_MAX).await?;
        let is_last = page.len() < PAGE_MAX as usize;
        all.extend(page);
        if is_last {
            return Ok(all);
        }
    }
}

/// Whether anything comes of a revision now.
pub(super) async fn is_used(tx: &mut Tx, row: &PublicationRow) -> Result<bool, StoreError> {
    let stands = row.stands && publications::standing(tx, &row.key).await? == row.revision;
    let goes_out = !row.life.status.is_terminal();
    Ok(stands || goes_out || !pins::having(tx, &row.key, row.revision, None, 1).await?.is_empty())
}

/// A layer as people name it: that of a node by the node's name.
pub(super) async fn name_of(tx: &mut Tx, key: &LayerKey) -> Result<String, StoreError> {
    let mut of = key.of.clone();
    if key.layer == Layer::Node
        && let Ok(id) = of.parse()
        && let Some(node) = nodes::get(tx, key.org, id).await?
    {
        of = node.name;
    }
    Ok(LayerName { layer: key.layer, of }.to_string())
}
