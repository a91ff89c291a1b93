//! Looking back: what happened at a node, or in an org, hour by hour or day by day.

use serde::{Deserialize, Serialize};
use sortie_rules::time::Millis;

/// The query of `GET /api/v1/history` and `GET /api/v1/nodes/{node}/history`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct HistoryQuery {
    /// Only this; all series if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub series: Option<HistorySeries>,
    /// From the stretch of this moment on; a week before `until` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Millis>,
    /// Up to the stretch that begins before this; now if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Millis>,
    /// How long a stretch is; a day if absent. Hours are kept for 14 days, days for two years; both are those of UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<HistoryStep>,
}

/// How long a stretch is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum HistoryStep {
    /// An hour.
    Hour,
    /// A day.
    Day,
}

/// What is looked back at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum HistorySeries {
    /// How many nodes were online.
    Presence,
    /// How tasks ended.
    Tasks,
    /// How backups went.
    Backups,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct History {
    /// How long a stretch is.
    pub step: HistoryStep,
    /// A point for each stretch, the oldest first; at most 1,000.
    pub points: Vec<HistoryPoint>,
}

/// What happened in one stretch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HistoryPoint {
    /// When it begins.
    pub at: Millis,
    /// How many nodes were online in it, on average; of one node the share of the time, from 0 to 1. Absent where it is
    /// not known or was not asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub online: Option<f64>,
    /// How tasks ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tasks: Option<HistoryTasks>,
    /// How backups went.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backups: Option<HistoryBackups>,
}

/// How many tasks ended in a stretch, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HistoryTasks {
    /// Done.
    pub completed: u64,
    /// Failed, and not tried again.
    pub failed: u64,
    /// Rejected, cancelled or expired.
    pub other: u64,
}

/// How many backups there were in a stretch, and how they went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HistoryBackups {
    /// Completed, as nodes told.
    pub completed: u64,
    /// Failed, as nodes told.
    pub failed: u64,
    /// Not done by their deadline.
    pub missed: u64,
}
