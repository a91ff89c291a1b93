//! Who lives on whom.

use sortie_rules::ids::{NodeId, OrgId};

use crate::errors::StoreError;
use crate::tx::Tx;

/// The names of up to `limit` nodes that live on this one, in order.
pub async fn guests(tx: &mut Tx, org: OrgId, host: NodeId, limit: u32) -> Result<Vec<String>, StoreError> {
    const SQL: &str = "select name from nodes where org = $1 and host = $2 and host is not null
        order by name limit $3";
    let rows = tx.query(SQL, &[org.into(), host.into(), limit.into()]).await?;
    rows.into_iter().map(|row| row.columns("nodes").text("name")).collect()
}

/// Keeps others who decide about one of these nodes waiting until the transaction ends: what is read of them
/// afterwards stays so. Give all at once, for they are held in an order of their own.
pub async fn hold(tx: &mut Tx, org: OrgId, nodes: &[NodeId]) -> Result<(), StoreError> {
    const SQL: &str = "update nodes set host = host where org = $1 and id = $2";
    let mut nodes = nodes.to_vec();
    nodes.sort_unstable();
    for node in nodes {
        tx.execute(SQL, &[org.into(), node.into()]).await?;
    }
    Ok(())
}
