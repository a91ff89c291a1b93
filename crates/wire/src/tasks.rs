//! Tasks as people and programs submit and read them.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sortie_rules::ids::{JobId, NodeId, TaskId};
use sortie_rules::tasks::{Code, Status};
use sortie_rules::time::{Millis, Span};

use crate::logs::TaskProgress;

/// One task to be done: the body of `POST /api/v1/tasks`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SubmitTask {
    /// The task type, for example `sys.info`.
    #[serde(rename = "type")]
    pub type_name: String,
    /// The node that shall do it, by name or id.
    pub node: String,
    /// What the handler gets; it must fit the type's schema. An empty object if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub payload: Option<Box<RawValue>>,
    /// Higher goes first, -100 to 100. 0 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<i32>,
    /// Not handed out before this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Millis>,
    /// Not begun after this; it then expires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_after: Option<Millis>,
    /// How often it is tried again after a failure or a lapsed lease. The type's if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_retries: Option<u32>,
    /// How long a claim lasts without a heartbeat. The type's if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease: Option<Span>,
}

/// Several at once, all or none: the body of `POST /api/v1/tasks/batch`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SubmitBatch {
    /// The tasks, at most 1,000.
    pub tasks: Vec<SubmitTask>,
}

/// The answer to a submission: the task is on disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Submitted {
    /// The task's id.
    pub id: TaskId,
    /// The node it is for.
    pub node: NodeId,
    /// `pending`, or `in_progress` where an agent was waiting and it was handed over at once.
    pub status: Status,
}

/// The answer to a batch, in the order of the batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SubmittedBatch {
    /// One for each task.
    pub tasks: Vec<Submitted>,
}

/// A task as lists show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TaskSummary {
    /// Its id.
    pub id: TaskId,
    /// Its type.
    #[serde(rename = "type")]
    pub type_name: String,
    /// The node it is for.
    pub node: NodeId,
    /// That node's name.
    pub node_name: String,
    /// Where it stands.
    pub status: Status,
    /// Why it did not complete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
    /// A sentence about that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Higher goes first.
    pub priority: i32,
    /// How often it was handed out.
    pub attempt: u32,
    /// Which run this is: it rises when the work is to be done again.
    pub run: u32,
    /// How often it went back to the queue after an error or a lapsed lease.
    pub retries: u32,
    /// How often it may.
    pub max_retries: u32,
    /// How long a claim lasts without a heartbeat.
    pub lease: Span,
    /// When the present claim ends unless it is renewed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease_until: Option<Millis>,
    /// Someone has asked to cancel it and the agent has not answered yet.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cancel_asked: bool,
    /// Not handed out before this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Millis>,
    /// Not begun after this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_after: Option<Millis>,
    /// The job that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<JobId>,
    /// Who submitted it.
    pub submitted_by: String,
    /// When it was submitted.
    pub submitted_at: Millis,
    /// When it was last handed out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claimed_at: Option<Millis>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Millis>,
}

/// A task with all that belongs to it: the answer of `GET /api/v1/tasks/{id}`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Task {
    /// What lists show.
    #[serde(flatten)]
    pub summary: TaskSummary,
    /// What the handler gets.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub payload: serde_json::Value,
    /// What the handler gave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub result: Option<serde_json::Value>,
    /// What the hub does after its end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub post_steps: Vec<PostStep>,
    /// How far the newest run said it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<TaskProgress>,
    /// The trace that it belongs to (W3C Trace Context).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
}

/// The query of `GET /api/v1/tasks`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct TaskQuery {
    /// Only tasks of this node, by name or id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// Only tasks in this state; several separated by commas.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Only tasks of this type.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub type_name: Option<String>,
    /// Only dead tasks: failed because no agent reported them within their retries.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dead: bool,
    /// Only tasks of this job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<JobId>,
    /// The `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<TaskId>,
    /// Rows in the page, at most 1,000; 100 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// The query of `GET /api/v1/tasks/{id}`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct TaskWaitQuery {
    /// Hold the answer until the task ends, at most this many seconds (55 at most).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_s: Option<u32>,
}

/// What the hub does after a task has ended, and where it stands. It never changes the task's result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PostStep {
    /// Its name in the type's pack.
    pub name: String,
    /// From 1: for one item of the list that the step is for; 0: the step itself.
    pub item: u32,
    /// After which run of the task.
    pub run: u32,
    /// `mail`, `webhook` or `status`.
    pub kind: String,
    /// `pending`, `done` or `failed`.
    pub status: String,
    /// How often it was begun.
    pub tries: u32,
    /// When it is tried next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_at: Option<Millis>,
    /// When it was done or given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Millis>,
    /// Why the last try failed, in a word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What the last try did, or why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}
