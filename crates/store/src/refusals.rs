//! `node_refusals`: deliveries that a node's agent refused as a whole. Facts.

use sortie_rules::ids::NodeId;

use crate::errors::StoreError;
use crate::tx::Tx;

/// What is kept of a node's refusals, as JSON.
pub async fn get(tx: &mut Tx, node: NodeId) -> Result<Option<String>, StoreError> {
    const SQL: &str = "select refused from node_refusals where node = $1";
    let row = tx.query_one_or_none(SQL, &[node.into()]).await?;
    row.map(|row| row.columns("node_refusals").text("refused")).transpose()
}

/// Keeps it, in place of what was kept before.
pub async fn set(tx: &mut Tx, node: NodeId, refused: &str) -> Result<(), StoreError> {
    const SQL: &str = "insert into node_refusals (node, refused) values ($1, $2)
        on conflict (node) do update set refused = excluded.refused";
    tx.execute(SQL, &[node.into(), refused.into()]).await.map(drop)
}

/// Forgets it: the node has enrolled anew, and its new agent counts from the beginning.
pub async fn forget(tx: &mut Tx, node: NodeId) -> Result<(), StoreError> {
    const SQL: &str = "delete from node_refusals where node = $1";
    tx.execute(SQL, &[node.into()]).await.map(drop)
}
