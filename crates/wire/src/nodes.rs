//! Nodes and sites as people read and steer them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sortie_rules::clocks::ClockState;
use sortie_rules::desired::Standing;
use sortie_rules::ids::{NodeId, TaskId};
use sortie_rules::liveness::Presence;
use sortie_rules::proofs::Proof;
use sortie_rules::time::{Millis, Span};

use crate::desired::PolicyUnusable;
use crate::enrollment::Facts;
use crate::refusals::RefusedDeliveries;

/// A node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Node {
    /// Its id.
    pub id: NodeId,
    /// Its name, unique in the org.
    pub name: String,
    /// The site it belongs to. Intent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// The node that it lives on, by name. Intent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Whether that was revoked; its guests stay as they are.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub host_revoked: bool,
    /// The nodes that live on it, by name, the first 100; shown for one node, not in lists. Intent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub guests: Vec<String>,
    /// What sort of node it is. Intent.
    pub kind: String,
    /// Its labels. Intent: set at the hub only.
    pub labels: BTreeMap<String, String>,
    /// Whether it is there.
    pub presence: Presence,
    /// Since when that is said.
    pub presence_at: Millis,
    /// When it was last heard. A fact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heard_at: Option<Millis>,
    /// Silence after which it is called stale. Intent; the hub's default if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stale_after: Option<Span>,
    /// Silence after which it is called down. Intent; the hub's default if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub down_after: Option<Span>,
    /// When it enrolled.
    pub enrolled_at: Millis,
    /// Until when its certificate holds.
    pub certificate_until: Millis,
    /// With what it proves who it is: its certificate, or an assertion in each request where something on the way
    /// opens connections. Absent until it has come. A fact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<Proof>,
    /// Whether its clock is right. Its node works by the hub's signed time either way. A fact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<ClockState>,
    /// By how many milliseconds its clock is ahead of the hub's, or behind, if negative. A fact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_skew_ms: Option<i64>,
    /// How it stands to what is meant for it. Absent if nothing was published for it, it was revoked, or it is a client
    /// of the trust API. A fact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standing: Option<Standing>,
    /// Since when it gets no tasks because two agents came with its key; an operator decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quarantined_at: Option<Millis>,
    /// Which of the hub's key sets it has; absent if its client follows none. A fact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<NodeKeys>,
    /// The SHA-256 of its public key, in hex.
    pub key_fingerprint: String,
    /// When it was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Millis>,
    /// What its agent says of its machine. Facts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts: Option<Facts>,
    /// What results said of it. Facts; shown for one node, not in lists.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldValue>,
    /// Deliveries that its agent refused as a whole, by reason. Facts; shown for one node, not in lists.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused_deliveries: Vec<RefusedDeliveries>,
    /// Why its site's policy cannot be used, if it cannot. A fact; shown for one node, not in lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_unusable: Option<PolicyUnusable>,
}

/// Which of the hub's key sets a node has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NodeKeys {
    /// The version that it says it has.
    pub version: u64,
    /// The newest there is.
    pub newest: u64,
}

/// What a result said of a node or a site. A fact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FieldValue {
    /// Its name.
    pub name: String,
    /// Its value.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub value: serde_json::Value,
    /// Whose result said so.
    pub task: TaskId,
    /// When that task ended.
    pub at: Millis,
}

/// What may be changed on a node: the body of `PATCH /api/v1/nodes/{node}`. Absent means unchanged.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ChangeNode {
    /// The site it belongs to; an empty text takes it out of its site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// The node that it lives on, by name or id; an empty text: on none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// What sort of node it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Labels to set; `null` removes one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, Option<String>>,
    /// Silence after which it is called stale; 0 returns to the hub's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stale_after: Option<Span>,
    /// Silence after which it is called down; 0 returns to the hub's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub down_after: Option<Span>,
}

/// The query of `GET /api/v1/nodes`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct NodeQuery {
    /// Only nodes of this site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// Only nodes that live on this one, by name or id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Only nodes of this kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Only nodes of this presence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub presence: Option<Presence>,
    /// Only nodes that stand so to what is meant for them: `converged`, `converging`, `drifted`, `failing` or `none`,
    /// several with commas between them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standing: Option<String>,
    /// Only nodes with these labels: `key=value`, several separated by commas.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Rows in the page, at most 1,000; 100 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// A site: a named group of nodes at one place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Site {
    /// Its machine-facing name.
    pub key: String,
    /// Its name for people.
    pub name: String,
    /// When it was made.
    pub created_at: Millis,
    /// What results said of it. Facts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldValue>,
}

/// The body of `PUT /api/v1/sites/{key}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PutSite {
    /// Its name for people.
    pub name: String,
}
