//! What people read and change; `list` reads many at once.

use std::collections::BTreeMap;

use sortie_rules::ids::{NodeId, OrgId};

use super::list::NodeFilter;
use super::row::{NodeIntent, NodeRow, read, select_nodes};
use crate::errors::StoreError;
use crate::row::{Row, labels_text};
use crate::tx::Tx;
use crate::value::Value;

/// The org's node of this id.
pub async fn get(tx: &mut Tx, org: OrgId, id: NodeId) -> Result<Option<NodeRow>, StoreError> {
    const SQL: &str = concat!(select_nodes!(), "where n.org = $1 and n.id = $2");
    tx.query_one_or_none(SQL, &[org.into(), id.into()]).await?.map(read).transpose()
}

/// The org's node of this name.
pub async fn get_by_name(tx: &mut Tx, org: OrgId, name: &str) -> Result<Option<NodeRow>, StoreError> {
    const SQL: &str = concat!(select_nodes!(), "where n.org = $1 and n.name = $2");
    tx.query_one_or_none(SQL, &[org.into(), name.into()]).await?.map(read).transpose()
}

/// What of a node a selector looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selectable {
    /// Its id.
    pub id: NodeId,
    /// Its name.
    pub name: String,
    /// The site that it is at.
    pub site: Option<String>,
    /// What sort of node it is.
    pub kind: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Whether it was shut out.
    pub is_revoked: bool,
}

/// Up to `limit` nodes in the order of their names, after the name `after`, with no more than a selector
/// looks at. Of the filter only site and kind count.
pub async fn list_for_selection(
    tx: &mut Tx,
    org: OrgId,
    filter: &NodeFilter,
    after: Option<&str>,
    limit: u32,
) -> Result<Vec<Selectable>, StoreError> {
    const SQL: &str = "select id, name, site, kind, labels, revoked_at from nodes
        where org = $1 and name > $2 and (cast($3 as text) is null or site = $3)
            and (cast($4 as text) is null or kind = $4)
        order by name limit $5";
    let (site, kind) = (filter.site.as_deref().into(), filter.kind.as_deref().into());
    let values = [org.into(), after.unwrap_or("").into(), site, kind, limit.into()];
    tx.query(SQL, &values).await?.into_iter().map(read_selectable).collect()
}

/// The same of these nodes, whatever their org, in no order. Each may be asked for once.
pub async fn all_for_selection(tx: &mut Tx, ids: &[NodeId]) -> Result<Vec<Selectable>, StoreError> {
    const SQL: &str = "select id, name, site, kind, labels, revoked_at from nodes where id = $1";
    let values: Vec<[Value<'_>; 1]> = ids.iter().map(|id| [(*id).into()]).collect();
    if values.is_empty() {
        return Ok(Vec::new());
    }
    tx.query_each(SQL, &values).await?.into_iter().map(read_selectable).collect()
}

/// The same of the node with this name.
pub async fn get_for_selection(tx: &mut Tx, org: OrgId, name: &str) -> Result<Option<Selectable>, StoreError> {
    const SQL: &str = "select id, name, site, kind, labels, revoked_at from nodes where org = $1 and name = $2";
    tx.query_one_or_none(SQL, &[org.into(), name.into()]).await?.map(read_selectable).transpose()
}

fn read_selectable(row: Row) -> Result<Selectable, StoreError> {
    let mut row = row.columns("nodes");
    Ok(Selectable {
        id: row.id("id")?,
        name: row.text("name")?,
        site: row.text_or_none("site")?,
        kind: row.text("kind")?,
        labels: row.labels("labels")?,
        is_revoked: row.millis_or_none("revoked_at")?.is_some(),
    })
}

/// Changes what people decide about a node. `false` if the org has no such node.
pub async fn set_intent(tx: &mut Tx, org: OrgId, id: NodeId, intent: &NodeIntent) -> Result<bool, StoreError> {
    const SQL: &str = "update nodes
        set site = $3, kind = $4, labels = $5, stale_after = $6, down_after = $7, host = $8
        where org = $1 and id = $2";
    let labels = labels_text(&intent.labels);
    let values = [
        org.into(),
        id.into(),
        intent.site.as_deref().into(),
        (&intent.kind).into(),
        (&labels).into(),
        intent.stale_after.into(),
        intent.down_after.into(),
        intent.host.into(),
    ];
    Ok(tx.execute(SQL, &values).await? > 0)
}

/// How many nodes the org has, those that were shut out included.
pub async fn count(tx: &mut Tx, org: OrgId) -> Result<u64, StoreError> {
    const SQL: &str = "select count(*) from nodes where org = $1";
    let row = tx.query_one_or_none(SQL, &[org.into()]).await?;
    row.map_or(Ok(0), |row| row.columns("nodes").number("count"))
}
