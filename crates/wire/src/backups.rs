//! By when backups of nodes are expected, as people read and say it.

use serde::{Deserialize, Serialize};
use sortie_rules::time::Millis;

use crate::jobs::Selector;

/// By when a backup is expected: the body of `PUT /api/v1/backup-deadlines/{name}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PutBackupDeadline {
    /// At which nodes; also those that will come to be meant by it.
    pub selector: Selector,
    /// The target, as the reports of kind `backup` name it in their subject.
    pub target: String,
    /// By when each day, counted from midnight there: `06:00`.
    pub by: String,
    /// Where: the name of a time zone, for example `Europe/Budapest`.
    pub time_zone: String,
    /// On which days: `mon`, `tue`, `wed`, `thu`, `fri`, `sat`, `sun`; every day if there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub days: Vec<String>,
    /// How long after the deadline it is judged, since reports take their time, in seconds: at most 6 hours, 20 minutes
    /// if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grace_s: Option<i64>,
}

/// By when a backup is expected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BackupDeadline {
    /// Its name.
    pub name: String,
    /// What was said.
    #[serde(flatten)]
    pub deadline: PutBackupDeadline,
    /// When it is judged next.
    pub judged_at: Millis,
    /// Who said so.
    pub changed_by: String,
    /// When.
    pub changed_at: Millis,
}
