//! `node_desired`: which revision of each layer is meant for each node, and how often that changed. Whoever changes
//! a pin raises the node's generation with it.

use std::collections::HashMap;

use sortie_rules::desired::Layer;
use sortie_rules::ids::{NodeId, OrgId};
use sortie_rules::time::Millis;

use super::publication_nodes::Given;
use super::publications::LayerKey;
use crate::errors::StoreError;
use crate::row::{Columns, Row};
use crate::tx::Tx;
use crate::value::Value;

/// What is meant for one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinsRow {
    /// Which node.
    pub node: NodeId,
    /// Whose it is.
    pub org: OrgId,
    /// The site whose layer it has.
    pub site: Option<String>,
    /// Counts the changes.
    pub generation: u64,
    /// The revision of the org's layer; 0 if none.
    pub org_revision: u64,
    /// That of the site's.
    pub site_revision: u64,
    /// That of the node's own.
    pub node_revision: u64,
    /// When it changed last.
    pub changed_at: Millis,
}

impl PinsRow {
    /// The layers that say something, in their order, each with its revision.
    pub fn layers(&self) -> Vec<(LayerKey, u64)> {
        let key = |layer, of: String| LayerKey { org: self.org, layer, of };
        let all = [
            (key(Layer::Org, String::new()), self.org_revision),
            (key(Layer::Site, self.site.clone().unwrap_or_default()), self.site_revision),
            (key(Layer::Node, self.node.to_string()), self.node_revision),
        ];
        all.into_iter().filter(|(_, revision)| *revision > 0).collect()
    }
}

/// A statement in which the column of a layer's revision stands between these.
macro_rules! by_layer {
    ($layer:expr, $before:literal, $after:literal) => {
        match $layer {
            Layer::Org => concat!($before, "org_revision", $after),
            Layer::Site => concat!($before, "site_revision", $after),
            Layer::Node => concat!($before, "node_revision", $after),
        }
    };
}

macro_rules! select_pins {
    () => {
        "select node, org, site, generation, org_revision, site_revision, node_revision, changed_at from node_desired "
    };
}

/// What is meant for a node; nothing if there is no such node.
pub async fn get(tx: &mut Tx, node: NodeId) -> Result<Option<PinsRow>, StoreError> {
    const SQL: &str = concat!(select_pins!(), "where node = $1");
    tx.query_one_or_none(SQL, &[node.into()]).await?.map(read).transpose()
}

/// Writes down what is meant for a node, in place of what was.
pub async fn put(tx: &mut Tx, row: &PinsRow) -> Result<(), StoreError> {
    const SQL: &str = "insert into node_desired
        (node, org, site, generation, org_revision, site_revision, node_revision, changed_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8)
        on conflict (node) do update set site = excluded.site, generation = excluded.generation,
            org_revision = excluded.org_revision, site_revision = excluded.site_revision,
            node_revision = excluded.node_revision, changed_at = excluded.changed_at";
    let values = [
        row.node.into(),
        row.org.into(),
        row.site.as_deref().into(),
        row.generation.into(),
        row.org_revision.into(),
        row.site_revision.into(),
        row.node_revision.into(),
        row.changed_at.into(),
    ];
    tx.execute(SQL, &values).await.map(drop)
}

/// Makes a node's generation at least this one. `false` if it was.
pub async fn raise_to(tx: &mut Tx, node: NodeId, generation: u64, now: Millis) -> Result<bool, StoreError> {
    const SQL: &str = "update node_desired set generation = $2, changed_at = $3 where node = $1 and generation < $2";
    Ok(tx.execute(SQL, &[node.into(), generation.into(), now.into()]).await? > 0)
}

/// Means nothing so far for these nodes: they came in by a hub that knew of no desired state.
async fn enter(tx: &mut Tx, nodes: &[NodeId]) -> Result<(), StoreError> {
    const SQL: &str = "insert into node_desired
        (node, org, site, generation, org_revision, site_revision, node_revision, changed_at)
        select id, org, site, 0, 0, 0, 0, enrolled_at from nodes where id = $1 on conflict (node) do nothing";
    let rows: Vec<[Value<'_>; 1]> = nodes.iter().map(|node| [(*node).into()]).collect();
    tx.execute_each(SQL, &rows).await.map(drop)
}

/// Means this revision of a layer for these nodes of a publication, each with its place. Returns what each got.
pub async fn give(
    tx: &mut Tx,
    layer: Layer,
    revision: u64,
    nodes: &[(u32, NodeId)],
    now: Millis,
) -> Result<Vec<Given>, StoreError> {
    let select = by_layer!(layer, "select node, ", " from node_desired where node = $1");
    let update = by_layer!(
        layer,
        "update node_desired set ",
        " = $2, generation = generation + 1, changed_at = $3 where node = $1 returning node, generation"
    );
    let asked: Vec<[Value<'_>; 1]> = nodes.iter().map(|(_, node)| [(*node).into()]).collect();
    let mut before = numbers(tx.query_each(select, &asked).await?)?;
    let missing: Vec<NodeId> = nodes.iter().map(|(_, node)| *node).filter(|node| !before.contains_key(node)).collect();
    if !missing.is_empty() {
        enter(tx, &missing).await?;
        before.extend(missing.into_iter().map(|node| (node, 0)));
    }
    let changes: Vec<[Value<'_>; 3]> =
        nodes.iter().map(|(_, node)| [(*node).into(), revision.into(), now.into()]).collect();
    let after = numbers(tx.query_each(update, &changes).await?)?;
    let given = nodes.iter().filter_map(|(position, node)| {
        let (before, generation) = (*before.get(node)?, *after.get(node)?);
        Some(Given { position: *position, node: *node, before, generation })
    });
    Ok(given.collect())
}

/// Gives nodes that have this revision of a layer what they had before. Returns the generation of each that had it.
pub async fn take_back(
    tx: &mut Tx,
    key: &LayerKey,
    revision: u64,
    given: &[Given],
    now: Millis,
) -> Result<HashMap<NodeId, u64>, StoreError> {
    // A node that went over to another site may have a revision of the same number there.
    let (update, of) = match key.layer {
        Layer::Org => (
            "update node_desired set org_revision = $3, generation = generation + 1, changed_at = $4
            where node = $1 and org_revision = $2 and org = $5 returning node, generation",
            key.org.into(),
        ),
        Layer::Site => (
            "update node_desired set site_revision = $3, generation = generation + 1, changed_at = $4
            where node = $1 and site_revision = $2 and site = $5 returning node, generation",
            Value::from(key.of.as_str()),
        ),
        Layer::Node => (
            "update node_desired set node_revision = $3, generation = generation + 1, changed_at = $4
            where node = $1 and node_revision = $2 and node = $5 returning node, generation",
            Value::from(key.of.as_str()),
        ),
    };
    let change = |one: &Given| [one.node.into(), revision.into(), one.before.into(), now.into(), of];
    let changes: Vec<[Value<'_>; 5]> = given.iter().map(change).collect();
    numbers(tx.query_each(update, &changes).await?)
}

fn numbers(rows: Vec<Row>) -> Result<HashMap<NodeId, u64>, StoreError> {
    let read = |row: Row| {
        let mut row = row.columns("node_desired");
        Ok((row.id("node")?, row.number("generation")?))
    };
    rows.into_iter().map(read).collect()
}

/// Raises every node's generation to the time in milliseconds: the hub was restored, and may have given out higher
/// ones since its backup, with other states. Nobody publishes a thousand times in each second, so none of them, nor one
/// of an earlier restore, is above that.
pub async fn leap(tx: &mut Tx, now: Millis) -> Result<(), StoreError> {
    const SQL: &str = "update node_desired
        set generation = case when generation < $1 then $1 else generation + 1 end, changed_at = $1";
    tx.execute(SQL, &[now.into()]).await.map(drop)
}

/// Raises the generation of every node for which this revision of a layer is meant. Returns of how many.
pub async fn raise_all(tx: &mut Tx, key: &LayerKey, revision: u64, now: Millis) -> Result<u64, StoreError> {
    const ORG: &str = "update node_desired set generation = generation + 1, changed_at = $3
        where org = $1 and org_revision = $2";
    const SITE: &str = "update node_desired set generation = generation + 1, changed_at = $3
        where org = $1 and site_revision = $2 and site = $4";
    const NODE: &str = "update node_desired set generation = generation + 1, changed_at = $3
        where org = $1 and node_revision = $2 and node = $4";
    let (org, revision, now) = (key.org.into(), revision.into(), now.into());
    match key.layer {
        Layer::Org => tx.execute(ORG, &[org, revision, now]).await,
        Layer::Site => tx.execute(SITE, &[org, revision, now, (&key.of).into()]).await,
        Layer::Node => tx.execute(NODE, &[org, revision, now, (&key.of).into()]).await,
    }
}

/// Up to `limit` nodes for which this revision of a layer is meant, by id after `after`, each with its generation.
pub async fn having(
    tx: &mut Tx,
    key: &LayerKey,
    revision: u64,
    after: Option<NodeId>,
    limit: u32,
) -> Result<Vec<(NodeId, u64)>, StoreError> {
    const ORG: &str = "select node, generation from node_desired
        where org = $1 and org_revision = $2 and node > $3 order by node limit $4";
    const SITE: &str = "select node, generation from node_desired
        where org = $1 and site_revision = $2 and node > $3 and site = $5 order by node limit $4";
    const NODE: &str = "select node, generation from node_desired
        where org = $1 and node_revision = $2 and node > $3 and node = $5 limit $4";
    let (org, revision) = (key.org.into(), revision.into());
    let (after, limit) = (after.map_or("".into(), Into::into), limit.into());
    let rows = match key.layer {
        Layer::Org => tx.query(ORG, &[org, revision, after, limit]).await?,
        Layer::Site => tx.query(SITE, &[org, revision, after, limit, (&key.of).into()]).await?,
        Layer::Node => tx.query(NODE, &[org, revision, after, limit, (&key.of).into()]).await?,
    };
    let read = |row: Row| {
        let mut row = row.columns("node_desired");
        Ok((row.id("node")?, row.number("generation")?))
    };
    rows.into_iter().map(read).collect()
}

/// Up to `limit` nodes of all orgs, by id after `after`, with what is meant for each and whether it is shut out.
pub async fn all(tx: &mut Tx, after: Option<NodeId>, limit: u32) -> Result<Vec<(PinsRow, bool)>, StoreError> {
    const SQL: &str = "select d.node, d.org, d.site, d.generation, d.org_revision, d.site_revision, d.node_revision,
            d.changed_at, n.revoked_at
        from node_desired d join nodes n on n.id = d.node where d.node > $1 order by d.node limit $2";
    let rows = tx.query(SQL, &[after.map_or("".into(), Into::into), limit.into()]).await?;
    rows.into_iter().map(read_with_end).collect()
}

/// What is meant for a node, and whether it is shut out; nothing if there is no such node.
pub async fn with_end(tx: &mut Tx, node: NodeId) -> Result<Option<(PinsRow, bool)>, StoreError> {
    const SQL: &str = "select d.node, d.org, d.site, d.generation, d.org_revision, d.site_revision, d.node_revision,
            d.changed_at, n.revoked_at
        from node_desired d join nodes n on n.id = d.node where d.node = $1";
    tx.query_one_or_none(SQL, &[node.into()]).await?.map(read_with_end).transpose()
}

/// The different sets of pins of a layer's nodes that are not shut out, each with one node that has it: at most
/// `limit`. Nodes without a layer of their own and with the same revisions of the others have the same set.
pub async fn different(tx: &mut Tx, key: &LayerKey, limit: u32) -> Result<Vec<PinsRow>, StoreError> {
    const ORG: &str = "select min(d.node), d.org, d.site, max(d.generation), d.org_revision, d.site_revision,
            d.node_revision, max(d.changed_at)
        from node_desired d join nodes n on n.id = d.node where d.org = $1 and n.revoked_at is null
        group by d.org, d.site, d.org_revision, d.site_revision, d.node_revision,
            case when d.node_revision = 0 then '' else d.node end
        limit $2";
    const SITE: &str = "select min(d.node), d.org, d.site, max(d.generation), d.org_revision, d.site_revision,
            d.node_revision, max(d.changed_at)
        from node_desired d join nodes n on n.id = d.node where d.org = $1 and d.site = $3 and n.revoked_at is null
        group by d.org, d.site, d.org_revision, d.site_revision, d.node_revision,
            case when d.node_revision = 0 then '' else d.node end
        limit $2";
    const NODE: &str = concat!(select_pins!(), "where org = $1 and node = $3 limit $2");
    let (org, limit) = (key.org.into(), limit.into());
    let rows = match key.layer {
        Layer::Org => tx.query(ORG, &[org, limit]).await?,
        Layer::Site => tx.query(SITE, &[org, limit, (&key.of).into()]).await?,
        Layer::Node => tx.query(NODE, &[org, limit, (&key.of).into()]).await?,
    };
    rows.into_iter().map(read).collect()
}

fn read_with_end(row: Row) -> Result<(PinsRow, bool), StoreError> {
    let mut row = row.columns("node_desired");
    let pins = pins_of(&mut row)?;
    Ok((pins, row.millis_or_none("revoked_at")?.is_some()))
}

fn read(row: Row) -> Result<PinsRow, StoreError> {
    pins_of(&mut row.columns("node_desired"))
}

fn pins_of(row: &mut Columns) -> Result<PinsRow, StoreError> {
    Ok(PinsRow {
        node: row.id("node")?,
        org: row.id("org")?,
        site: row.text_or_none("site")?,
        generation: row.number("generation")?,
        org_revision: row.number("org_revision")?,
        site_revision: row.number("site_revision")?,
        node_revision: row.number("node_revision")?,
        changed_at: row.millis("changed_at")?,
    })
}
