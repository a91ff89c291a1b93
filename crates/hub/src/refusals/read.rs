//! What is known of a node's refusals.

use serde::{Deserialize, Serialize};
use sortie_rules::ids::NodeId;
use sortie_rules::time::Millis;
use sortie_store::{Tx, refusals};
use sortie_wire::refusals::RefusedDeliveries;

use crate::fault::Fault;

/// Refusals for one reason, with what was told of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kept {
    /// What the agent said.
    pub(super) said: RefusedDeliveries,
    /// How many there were at the last event.
    pub(super) told_times: u64,
    /// When that was.
    pub(super) told_at: Millis,
}

/// All that is kept of a node.
pub(super) async fn kept(tx: &mut Tx, node: NodeId) -> Result<Vec<Kept>, Fault> {
    let Some(text) = refusals::get(tx, node).await? else { return Ok(Vec::new()) };
    serde_json::from_str(&text).map_err(|error| Fault::Broken(format!("the refusals of node {node}: {error}")))
}

/// What a node's agent has refused, as people see it.
pub(crate) async fn refused_by(tx: &mut Tx, node: NodeId) -> Result<Vec<RefusedDeliveries>, Fault> {
    Ok(kept(tx, node).await?.into_iter().map(|kept| kept.said).collect())
}
