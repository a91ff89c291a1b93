//! Jobs: one request for many nodes.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sortie_rules::ids::{JobId, NodeId, TaskId};
use sortie_rules::jobs::JobStatus;
use sortie_rules::tasks::Code;
use sortie_rules::time::{Millis, Span};

/// Which nodes are meant. Everything that is said must hold; revoked nodes are never meant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Selector {
    /// Terms with commas between them: `key=value`, `key!=value`, `key` (there is such a label), `!key`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// At this site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// Of this kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Of one of these names. A name that no node has is refused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// Every node. It must be said, so that a slip does not mean all of them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub all: bool,
}

/// One piece of work for many nodes: the body of `POST /api/v1/jobs`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RunJob {
    /// The task type, for example `sys.info`.
    #[serde(rename = "type")]
    pub type_name: String,
    /// The nodes that shall do it.
    pub selector: Selector,
    /// What the handler gets; it must fit the type's schema. An empty object if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub payload: Option<Box<RawValue>>,
    /// How many nodes may be at it at once; any number if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_a_time: Option<u32>,
    /// The job stops when so many nodes have failed or refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_after_failures: Option<u32>,
    /// The same as a share of all its nodes, 1 to 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_after_percent: Option<u32>,
    /// Nothing is begun after this; nodes that did not come by then are left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_after: Option<Millis>,
    /// Higher goes first, -100 to 100. 0 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<i32>,
    /// How often each task is tried again after a failure or a lapsed lease. The type's if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_retries: Option<u32>,
    /// How long a claim lasts without a heartbeat. The type's if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease: Option<Span>,
}

/// A job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// The type of its tasks.
    #[serde(rename = "type")]
    pub type_name: String,
    /// Which nodes were asked for.
    pub selector: Selector,
    /// Where it stands.
    pub status: JobStatus,
    /// How many nodes it is for.
    pub nodes: u32,
    /// How many nodes may be at it at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_a_time: Option<u32>,
    /// It stops when so many nodes have failed or refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_after_failures: Option<u32>,
    /// The same as a share of all its nodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_after_percent: Option<u32>,
    /// Nothing is begun after this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_after: Option<Millis>,
    /// Who asked for it.
    pub submitted_by: String,
    /// When.
    pub submitted_at: Millis,
    /// When it was over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Millis>,
    /// How many of its nodes stand where; not in lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counts: Option<JobCounts>,
}

/// How many nodes of a job stand where.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JobCounts {
    /// Without a task so far: others are first, or the node is not there.
    pub waiting: u32,
    /// With a task in the node's queue.
    pub pending: u32,
    /// With a task under way.
    pub in_progress: u32,
    /// Done.
    pub completed: u32,
    /// Failed.
    pub failed: u32,
    /// Refused by the site.
    pub rejected: u32,
    /// With a task that was called off.
    pub cancelled: u32,
    /// With a task that nobody began in time.
    pub expired: u32,
    /// Left out: the job was over before their turn came, or the node was revoked.
    pub skipped: u32,
}

/// How a node of a job fares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JobNode {
    /// The node.
    pub node: NodeId,
    /// Its name.
    pub node_name: String,
    /// `waiting`, `skipped`, the status of its task, or `forgotten` once that is too old to be kept.
    pub status: String,
    /// Its task, once it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<TaskId>,
    /// Why it did not complete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
    /// A sentence about that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// When its task was submitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub submitted_at: Option<Millis>,
    /// When its task ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Millis>,
}

/// What a job would be for: the answer of `POST /api/v1/jobs/preview`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JobPreview {
    /// How many nodes it would be for.
    pub nodes: u32,
    /// Their names in order, the first 1,000.
    pub names: Vec<String>,
}

/// The query of `GET /api/v1/jobs`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct JobQuery {
    /// Only jobs of this status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<JobStatus>,
    /// The `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<JobId>,
    /// Rows in the page, at most 1,000; 100 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// The query of `GET /api/v1/jobs/{id}/nodes`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct JobNodeQuery {
    /// Only nodes of this status: `waiting`, `skipped`, or that of a task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// The `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<u32>,
    /// Rows in the page, at most 1,000; 100 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}
