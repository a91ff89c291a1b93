//! Events as people read them.

use serde::{Deserialize, Serialize};
use sortie_rules::ids::{NodeId, OutboxId, TaskId};
use sortie_rules::time::Millis;

/// Something that happened, written in the transaction that made it happen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Event {
    /// Rises with every event; a reader who has seen one has seen all before it.
    pub number: u64,
    /// When it happened.
    pub at: Millis,
    /// What happened, for example `task.completed`.
    pub kind: String,
    /// Who made it happen: a person or service, a node, or `hub`.
    pub actor: String,
    /// The node it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<NodeId>,
    /// That node's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_name: Option<String>,
    /// The task it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<TaskId>,
    /// What else belongs to it.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub data: serde_json::Value,
}

/// The query of `GET /api/v1/events`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct EventQuery {
    /// Only events after this number, oldest first. Without it the newest come, newest last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
    /// Only events whose kind is this or begins with this and a dot, for example `task`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Only events about this node, by name or id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// Only events about this task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<TaskId>,
    /// With `after`: hold the answer until something follows, at most this many seconds (55 at most).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_s: Option<u32>,
    /// Rows in the page, at most 1,000; 100 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Events that a node tells by itself: the body of `POST /agent/v1/nodes/{node_id}/events`. They are sent until they
/// are taken; one that comes again is known by its number and taken once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SendEvents {
    /// Where the agent keeps them; one that begins anew counts anew.
    pub outbox: OutboxId,
    /// The events, by number.
    pub events: Vec<SendEvent>,
}

/// An event that a node tells by itself. Which node it is about is known from the line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SendEvent {
    /// Counts the events of this outbox, from 1.
    pub number: u64,
    /// `backup.completed` or `backup.failed`.
    pub kind: String,
    /// What belongs to it: an object.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub data: serde_json::Map<String, serde_json::Value>,
}
