//! Task types: what can be asked of an agent.

use serde::{Deserialize, Serialize};
use sortie_rules::time::Span;

/// A task type as people read it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TaskType {
    /// Its name.
    pub name: String,
    /// The pack it comes from.
    pub pack: String,
    /// What it does, in a sentence or two.
    pub summary: String,
    /// Whether a run cut by a crash may be run again.
    pub idempotent: bool,
    /// How long a claim lasts without a heartbeat.
    pub lease: Span,
    /// How often it is tried again.
    pub max_retries: u32,
    /// JSON Schema of the payload.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub payload_schema: serde_json::Value,
    /// JSON Schema of the result.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub result_schema: serde_json::Value,
}
