//! Reports: facts that a node tells of itself. They are mirrored, kept for a time, and never become intent.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sortie_rules::ids::NodeId;
use sortie_rules::time::Millis;

/// One report: the body of `POST /agent/v1/nodes/{node_id}/reports`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SendReport {
    /// What it is about: `facts`, `inventory`, `backup`, or a kind of the site's own.
    pub kind: String,
    /// Which of its kind, where there are several: the target of a backup. Absent: the only one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// When the facts were so, by the agent's clock.
    pub taken_at: Millis,
    /// Who said it at the site: `agent`, or the name of a program that the policy lists.
    pub source: String,
    /// The facts: an object.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub facts: Box<RawValue>,
}

/// A report as people read it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Report {
    /// The node that sent it.
    pub node: NodeId,
    /// Its name.
    pub node_name: String,
    /// What it is about.
    pub kind: String,
    /// Which of its kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Counts the reports of this node, kind and subject.
    pub number: u64,
    /// When the facts were so, by the node's clock.
    pub taken_at: Millis,
    /// When the hub got it.
    pub received_at: Millis,
    /// Who said it at the site.
    pub source: String,
    /// The facts; not in lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub facts: Option<Box<RawValue>>,
}

/// The query of `GET /api/v1/nodes/{node}/reports`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct ReportQuery {
    /// Only of this kind; absent: the newest of each kind and subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Only of this subject. For a kind only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The `next` of the page before. For a kind only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
    /// Rows in the page, at most 1,000; 100 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// With the facts. At most 20 rows then.
    #[serde(default)]
    pub facts: bool,
}
