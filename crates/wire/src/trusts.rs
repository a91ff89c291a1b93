//! The trust API: the three calls that clients of an earlier system know, in that system's words, and how
//! nodes for such clients are made.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sortie_rules::ids::TaskId;
use sortie_rules::tasks::Code;

use crate::nodes::Node;

/// A node for a client of the trust API: the body of `POST /api/v1/nodes`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AddNode {
    /// Its name: the `trust_name` in the client's paths.
    pub name: String,
    /// The site that it is at; made if it is not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// What sort of node it is; `trust` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Its labels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

/// A node with its key, which is shown this once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AddedNode {
    /// The node.
    pub node: Node,
    /// The key: `Authorization: Bearer KEY`, or `X-API-Key: KEY`.
    pub key: String,
}

/// Where a task stands, in the words of the earlier system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TrustStatus {
    /// In the queue.
    Pending,
    /// Handed out.
    InProgress,
    /// Done.
    Completed,
    /// Failed.
    Failed,
}

/// A task as the client gets it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TrustTask {
    /// Which task.
    pub id: TaskId,
    /// Its type.
    pub task_type: String,
    /// What it is about.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub payload: Box<RawValue>,
    /// `IN_PROGRESS`: it is handed out with this answer.
    pub status: TrustStatus,
    /// How often it was handed out before.
    pub retry_count: u32,
}

/// How a task ended: the body of `POST /tasks/{trust_name}/{task_id}/result`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct TrustResult {
    /// `COMPLETED` or `FAILED`.
    pub status: TrustStatus,
    /// What it gave, if it is completed; an empty object if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub result: Option<Box<RawValue>>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Where a task stands after its result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TrustReceipt {
    /// Which task.
    pub id: TaskId,
    /// Where it stands: `COMPLETED`, `FAILED`, or `PENDING` if it is tried again.
    pub status: TrustStatus,
    /// Why it failed, for example `result_invalid`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
}

/// The answer to a sign of life.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TrustAlive {
    /// `ok`.
    pub status: String,
}
