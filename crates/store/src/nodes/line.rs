//! The line between the hub and one node: how far deliveries have come.

use sortie_rules::ids::NodeId;

use crate::errors::StoreError;
use crate::tx::Tx;

/// The highest delivery handed out and the highest acknowledged, in this order.
pub async fn line(tx: &mut Tx, id: NodeId) -> Result<Option<(u64, u64)>, StoreError> {
    const SQL: &str = "select delivered, acknowledged from node_signs where node = $1";
    let row = tx.query_one_or_none(SQL, &[id.into()]).await?;
    row.map(|row| {
        let mut row = row.columns("node_signs");
        Ok((row.number("delivered")?, row.number("acknowledged")?))
    })
    .transpose()
}

/// Writes both down. `acknowledged` is at most `delivered`.
pub async fn set_line(tx: &mut Tx, id: NodeId, delivered: u64, acknowledged: u64) -> Result<(), StoreError> {
    const SQL: &str = "update node_signs set delivered = $2, acknowledged = $3 where node = $1";
    tx.execute(SQL, &[id.into(), delivered.into(), acknowledged.into()]).await.map(drop)
}
