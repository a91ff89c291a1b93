//! The logs of tasks: what handlers write while they run, and how far they say they are.

use serde::{Deserialize, Serialize};
use sortie_rules::ids::TaskId;
use sortie_rules::time::Millis;

use crate::problem::Problem;

/// Pieces of logs: the body of `POST /agent/v1/nodes/{node_id}/logs`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct LogBatch {
    /// At most 100.
    pub pieces: Vec<LogPiece>,
}

/// A piece of the log of one run.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct LogPiece {
    /// Which task.
    pub task: TaskId,
    /// Which run of it.
    pub run: u32,
    /// At which byte of the log the piece begins.
    pub offset: u64,
    /// The bytes, in base64; none if only the progress is told.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub data: String,
    /// How far the run is, if that has changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<TaskProgress>,
}

/// How far a run is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct TaskProgress {
    /// Of what there is to do, from 0 to 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<u8>,
    /// What it is at.
    pub message: String,
    /// When the handler said so, by the agent's clock.
    pub at: Millis,
}

/// What became of each piece, in their order.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LogReceipts {
    /// One for each piece.
    pub receipts: Vec<LogReceipt>,
}

/// What became of a piece.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LogReceipt {
    /// Which task.
    pub task: TaskId,
    /// Which run.
    pub run: u32,
    /// How much of the log the hub has: the next piece begins there.
    pub next: u64,
    /// The hub takes nothing of this log, now or later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<Problem>,
}

/// The query of `GET /api/v1/tasks/{id}/log`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct LogQuery {
    /// Which run; the newest if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<u32>,
    /// From which byte on; 0 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
    /// Hold the answer until there is something after `offset`, or the task has ended, at most this many
    /// seconds (55 at most).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_s: Option<u32>,
}

/// A part of a task's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LogPart {
    /// Which run it is of.
    pub run: u32,
    /// At which byte of that run's log it begins.
    pub offset: u64,
    /// Where to go on: the byte after the last of `data`.
    pub next: u64,
    /// The bytes, in base64: a log need not be text.
    pub data: String,
    /// Nothing more comes: the run has ended and the agent has sent all of its log.
    pub complete: bool,
}
