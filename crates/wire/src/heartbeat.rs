//! What an agent says while it holds tasks, apart from the work itself.

use serde::{Deserialize, Serialize};
use sortie_rules::ids::{BootId, TaskId};
use sortie_rules::time::Millis;

/// The body of `POST /agent/v1/nodes/{node_id}/heartbeat`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Heartbeat {
    /// Which start of the agent is speaking.
    pub boot: BootId,
    /// Every task that the agent holds, waiting or running: their leases are renewed.
    pub held: Vec<Held>,
}

/// One held task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Held {
    /// Which task.
    pub task: TaskId,
    /// The newest attempt that the agent has seen.
    pub attempt: u32,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Pulse {
    /// The hub's time.
    pub now: Millis,
    /// Held tasks that someone wants stopped.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cancel: Vec<TaskId>,
    /// Held tasks that the hub does not count as held under this attempt: their leases were not
    /// renewed. What has not begun need not begin; a result is taken all the same.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_held: Vec<TaskId>,
}
