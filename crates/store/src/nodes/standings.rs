//! How many nodes are not in order with what is meant for them, for summaries.

use sortie_rules::desired::Standing;
use sortie_rules::ids::OrgId;

use super::list::behind;
use crate::errors::StoreError;
use crate::tx::Tx;

/// How many nodes of an org are not in order, without those that were shut out and clients of the trust API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OutOfOrder {
    /// On their way to what is meant for them.
    pub converging: u64,
    /// Otherwise, and it is only told of.
    pub drifted: u64,
    /// Not brought in order.
    pub failing: u64,
}

/// Counts them.
pub async fn count_out_of_order(tx: &mut Tx, org: OrgId) -> Result<OutOfOrder, StoreError> {
    const TOLD_OF: &str = "select o.standing, count(*) from node_observed o cross join nodes n
        where o.org = $1 and o.standing <> 'converged' and n.id = o.node and n.revoked_at is null
        group by o.standing";
    const BEHIND: &str = concat!(
        "select count(*) from (",
        behind!("d.node"),
        ") found cross join nodes n
            where n.id = found.node and n.revoked_at is null and n.key_fingerprint not like 'key:%'"
    );
    let mut counts = OutOfOrder::default();
    for row in tx.query(TOLD_OF, &[org.into()]).await? {
        let mut row = row.columns("node_observed");
        let (standing, count) = (row.word("standing", Standing::parse)?, row.number("count")?);
        match standing {
            Standing::Converged => {}
            Standing::Converging => counts.converging = count,
            Standing::Drifted => counts.drifted = count,
            Standing::Failing => counts.failing = count,
        }
    }
    let behind = tx.query_one_or_none(BEHIND, &[org.into()]).await?;
    counts.converging += behind.map_or(Ok(0), |row| row.columns("node_desired").number("count"))?;
    Ok(counts)
}
