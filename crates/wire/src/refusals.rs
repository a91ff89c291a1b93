//! What an agent says of deliveries that it refused as a whole.

use serde::{Deserialize, Serialize};
use sortie_rules::time::Millis;

/// All that an agent has ever refused, by reason: the body of `POST /agent/v1/nodes/{node_id}/refusals`.
/// Said again it changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RefusalReport {
    /// One for each reason, at most 32.
    pub refused: Vec<RefusedDeliveries>,
}

/// Deliveries that an agent refused for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RefusedDeliveries {
    /// Why, in a word.
    pub code: String,
    /// How many there were since the agent enrolled.
    pub times: u64,
    /// The number of the newest, if it could be believed that far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u64>,
    /// Why the newest was refused, in a sentence.
    pub message: String,
    /// When the first came, by the agent's clock.
    pub first_at: Millis,
    /// When the newest came, by the agent's clock.
    pub last_at: Millis,
}
