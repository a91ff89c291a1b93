//! Maintenance: times in which nobody is told what begins at some nodes.

use serde::{Deserialize, Serialize};
use sortie_rules::ids::MaintenanceId;
use sortie_rules::time::{Millis, Span};

use crate::jobs::Selector;

/// Announces maintenance: the body of `POST /api/v1/maintenance`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct StartMaintenance {
    /// Why, in a few words: one line.
    pub reason: String,
    /// At which nodes; also those that will come to be meant by it.
    pub selector: Selector,
    /// From when on; from now on if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Millis>,
    /// Until when; or say `lasts`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Millis>,
    /// For how long, at most 30 days; or say `until`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lasts: Option<Span>,
}

/// A time in which nobody is told what begins at some nodes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Maintenance {
    /// Identifies it.
    pub id: MaintenanceId,
    /// Why.
    pub reason: String,
    /// At which nodes.
    pub selector: Selector,
    /// How far it is.
    pub state: MaintenanceState,
    /// From when on.
    pub from: Millis,
    /// Until when, if nobody ends it before.
    pub until: Millis,
    /// Who announced it.
    pub made_by: String,
    /// When.
    pub made_at: Millis,
    /// Who ended it before its time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_by: Option<String>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Millis>,
}

/// How far a maintenance is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum MaintenanceState {
    /// It is still to begin.
    Coming,
    /// It is under way.
    Current,
    /// It is over, or was called off.
    Over,
}

impl MaintenanceState {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            MaintenanceState::Coming => "coming",
            MaintenanceState::Current => "current",
            MaintenanceState::Over => "over",
        }
    }
}

/// The query of `GET /api/v1/maintenance`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct MaintenanceQuery {
    /// With those that are over, newest first. Without it, what is not over stands in one page, what ends first before
    /// the rest.
    #[serde(default)]
    pub over: bool,
    /// The `next` of the page before; with `over` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<MaintenanceId>,
    /// Rows in the page, at most 1,000; 100 if absent. With `over` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}
