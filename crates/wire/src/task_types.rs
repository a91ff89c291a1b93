//! Task types: what can be asked of an agent.

use serde::{Deserialize, Serialize};
use sortie_rules::tasks::Class;
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
    /// Who must have signed a task of it. The site's own policy decides.
    pub class: Class,
    /// Whether a run cut by a crash may be run again.
    pub idempotent: bool,
    /// How long a claim lasts without a heartbeat.
    pub lease: Span,
    /// How often it is tried again.
    pub max_retries: u32,
    /// Where a payload holds secrets: JSON pointers, `*` for every item of a list. The agent keeps what
    /// stands there out of the task's log.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<String>,
    /// What a site may put into its policy to run it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handler: Option<HandlerHint>,
    /// What the hub does after a task of it has ended, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub post_steps: Vec<String>,
    /// JSON Schema of the payload.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub payload_schema: serde_json::Value,
    /// JSON Schema of the result.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub result_schema: serde_json::Value,
}

/// How a pack's author means a type to be run. The site's policy decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HandlerHint {
    /// `builtin`, `command` or `http`.
    pub kind: String,
    /// A program in the pack's folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<String>,
    /// What else the site needs to know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}
