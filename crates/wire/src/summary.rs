//! How an org fares, in numbers.

use serde::{Deserialize, Serialize};
use sortie_rules::ids::JobId;
use sortie_rules::jobs::JobStatus;
use sortie_rules::time::Millis;

use crate::jobs::JobCounts;

/// How an org fares: the answer to `GET /api/v1/summary`. A part is absent if the caller may not read what it counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Summary {
    /// When the oldest of its parts was counted.
    pub as_of: Millis,
    /// Whether a part should have been counted anew and could not be: the hub's database is away, or slow.
    pub outdated: bool,
    /// The number of the newest event that is counted in every part: whoever follows events from here misses none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<u64>,
    /// The nodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nodes: Option<NodeNumbers>,
    /// The tasks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tasks: Option<TaskNumbers>,
    /// The jobs that are not over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jobs: Option<JobsUnderWay>,
    /// The operations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operations: Option<OperationNumbers>,
    /// How far NATS is behind. Only for the hub's own org, and where events leave for NATS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outbox: Option<OutboxLag>,
}

/// How many nodes stand where. Each is in one of `online` to `revoked`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NodeNumbers {
    /// All of them.
    pub all: u64,
    /// Heard lately.
    pub online: u64,
    /// Silent for a while.
    pub stale: u64,
    /// Silent for long.
    pub down: u64,
    /// Never heard.
    pub new: u64,
    /// Without tasks until an operator has decided: two agents came with one key.
    pub quarantined: u64,
    /// Shut out.
    pub revoked: u64,
    /// Beside these: with a clock that is off.
    pub clock_skewed: u64,
    /// Beside these: behind in following the hub's keys. 10,000 means so many or more.
    pub keys_lagging: u64,
    /// Beside these: on their way to what is meant for them, and not revoked.
    #[serde(default)]
    pub converging: u64,
    /// Beside these: otherwise than is meant for them, which is only told of.
    #[serde(default)]
    pub drifted: u64,
    /// Beside these: not brought in order with what is meant for them.
    #[serde(default)]
    pub failing: u64,
}

/// How many tasks stand where. What reaches `counted_to` is so many or more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TaskNumbers {
    /// In queues.
    pub pending: u64,
    /// Under way.
    pub in_progress: u64,
    /// Failed because no lease brought an answer; they can be requeued.
    pub dead: u64,
    /// Those that ended lately.
    pub ended: TaskEnds,
    /// Up to where each of these is counted.
    pub counted_to: u64,
}

/// How tasks ended in the last 24 hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TaskEnds {
    /// Since when.
    pub since: Millis,
    /// Done, of those that were submitted since then as well.
    pub completed: u64,
    /// Failed, whenever they were submitted.
    pub failed: u64,
    /// Refused by their sites.
    pub rejected: u64,
    /// Called off.
    pub cancelled: u64,
    /// Not begun in time.
    pub expired: u64,
}

/// The jobs that are not over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JobsUnderWay {
    /// How many there are.
    pub open: u64,
    /// The newest ten of them.
    pub newest: Vec<JobUnderWay>,
}

/// A job that is not over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JobUnderWay {
    /// Its id.
    pub id: JobId,
    /// The type of its tasks.
    #[serde(rename = "type")]
    pub type_name: String,
    /// Where it stands.
    pub status: JobStatus,
    /// How many nodes it is for.
    pub nodes: u32,
    /// How many of them stand where.
    pub counts: JobCounts,
}

/// How many operations stand where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OperationNumbers {
    /// Waiting for operators to sign them.
    pub awaiting_signature: u64,
}

/// How far NATS is behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OutboxLag {
    /// How many events it has not got.
    pub events: u64,
    /// When the oldest of them happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest_at: Option<Millis>,
}
