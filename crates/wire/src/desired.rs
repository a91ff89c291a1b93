//! Desired state: what people draft and publish, what an agent is given, and what it says of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sortie_rules::desired::{
    Condition, Layer, NodeStage, PublicationStatus, Resource, ResourceChange, ResourceKey, Standing,
};
use sortie_rules::enforcement::Enforcer;
use sortie_rules::ids::{NodeId, PublicationId};
use sortie_rules::time::{Millis, Span};

use crate::jobs::Selector;

/// The payload type of a node's desired state.
pub const DESIRED: &str = "application/vnd.sortie.desired+json";

/// What a node should be, inside an envelope that the hub has signed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DesiredState {
    /// For whom. An agent refuses what is for another node.
    pub node: NodeId,
    /// Rises with every change. An agent refuses one that is older than what it has accepted.
    pub generation: u64,
    /// The hub's time when it signed this.
    pub issued_at: Millis,
    /// The resources, by key. Secrets in them are sealed to the key that the node named.
    #[cfg_attr(feature = "openapi", schema(value_type = BTreeMap<String, Object>))]
    pub resources: BTreeMap<ResourceKey, Resource>,
}

/// A value that only one node can open: HPKE (RFC 9180) in base mode with DHKEM(X25519, HKDF-SHA256), HKDF-SHA256 and
/// AES-256-GCM. It stands in a spec as `{"$sealed": …}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Sealed {
    /// The encapsulated key, in base64.
    pub enc: String,
    /// The secret, sealed, in base64.
    pub ct: String,
}

/// The query of `GET /agent/v1/nodes/{node_id}/desired`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct DesiredQuery {
    /// The generation that the agent has accepted; 0 if none.
    pub after: u64,
    /// The X25519 public key to which secrets are sealed, in base64 for URLs, without padding.
    pub seal_to: String,
}

/// What an agent gets when it asks for its desired state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DesiredAnswer {
    /// The state in its envelope ([`DesiredState`]); absent if there is none newer than the agent's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<crate::envelope::Envelope>,
}

/// What an agent says of the state that it has accepted: facts, never intent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Observed {
    /// The generation that it has accepted.
    pub generation: u64,
    /// How each of its resources stands.
    pub conditions: Vec<Condition>,
    /// When it last went through all of them, by its clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub looked_at: Option<Millis>,
    /// Why the newest generation was not accepted, if it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<RefusedGeneration>,
    /// Why its site's policy cannot be used, if it cannot: then nothing runs, and no resource is looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_unusable: Option<PolicyUnusable>,
}

/// A site's policy that cannot be used. The node goes by none and lets nothing be done until it can.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PolicyUnusable {
    /// What is wrong, with the line and the key, and without anything else of the file.
    pub message: String,
    /// Since when, by the agent's clock.
    pub since: Millis,
}

/// A generation that an agent has not accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RefusedGeneration {
    /// Which one, as the hub told.
    pub generation: u64,
    /// Why, as a stable word.
    pub code: String,
    /// The same as a sentence.
    pub message: String,
}

/// What a node should be and how it stands to it, as people read it: `GET /api/v1/nodes/{node}/desired`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NodeDesired {
    /// The node.
    pub node: NodeId,
    /// Its name.
    pub node_name: String,
    /// The generation that is meant; 0 if nothing was ever published for it.
    pub generation: u64,
    /// Since when it is meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub released_at: Option<Millis>,
    /// The layers it is made of, in the order in which the later wins; only those that say something.
    pub layers: Vec<LayerPart>,
    /// What they say together, with the fields that never leave the hub and with references to secrets as they are.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub state: Value,
    /// Which layer each value comes from, by JSON pointer.
    pub origins: BTreeMap<String, Layer>,
    /// What the node says of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed: Option<NodeObserved>,
    /// Resources that the hub itself enforces, and of which the node knows nothing; also those that are meant no more
    /// and whose rules are still to go.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub enforced: Vec<EnforcedResource>,
}

/// How a resource stands that the hub itself enforces at the edge.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EnforcedResource {
    /// Its condition, by the hub's clock.
    #[serde(flatten)]
    pub condition: Condition,
    /// The zone at the edge; absent if its spec cannot be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// Whether it is meant no more, and its rules are still to go.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_leaving: bool,
    /// Tries that failed in a row.
    #[serde(default)]
    pub failures: u32,
    /// When it is looked at next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_try_at: Option<Millis>,
}

/// What one layer says about a node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LayerPart {
    /// Which layer.
    pub layer: Layer,
    /// The site's key or the node's id; absent for the org.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// Which revision of it.
    pub revision: u64,
    /// What it says.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub state: Value,
}

/// What a node has said last of its desired state: a fact.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NodeObserved {
    /// How it stands, all resources together.
    pub standing: Standing,
    /// When the hub heard it.
    pub heard_at: Millis,
    /// What it said.
    #[serde(flatten)]
    pub observed: Observed,
}

/// A layer as it stands: `GET /api/v1/desired/{layer}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LayerShown {
    /// Which layer.
    pub layer: Layer,
    /// The site's key or the node's id; absent for the org.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// The node's name, for the layer of a node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of_name: Option<String>,
    /// The newest revision that was published, whatever became of it; 0 if none was.
    pub revision: u64,
    /// The revision that stands: what nodes have that come new to the layer; 0 if none.
    pub stands: u64,
    /// What stands.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub state: Value,
    /// What is being drafted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub draft: Option<Draft>,
    /// The publication that is going out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running: Option<Publication>,
}

/// What is being drafted for a layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Draft {
    /// The draft.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub state: Value,
    /// The revision on which it was begun.
    pub based_on: u64,
    /// Counts its changes; name it to change the draft that was read.
    pub version: u64,
    /// Who changed it last.
    pub changed_by: String,
    /// When.
    pub changed_at: Millis,
}

/// The body of `PUT /api/v1/desired/{layer}/draft`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct WriteDraft {
    /// The draft.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub state: Value,
    /// The revision on which it is based.
    pub based_on: u64,
    /// The version of the draft that was read; 0 if there was none. Another one is a conflict.
    pub version: u64,
}

/// The query of `GET /api/v1/desired/{layer}/diff`. Absent: `from` is what stands, `to` the draft.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct DiffQuery {
    /// A revision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<u64>,
    /// A revision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<u64>,
}

/// What a change of a layer means.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Diff {
    /// What differs in the layer by itself.
    pub changes: Vec<ResourceChange>,
    /// How many nodes it would go to.
    pub nodes: u32,
}

/// The body of `POST /api/v1/desired/{layer}/publish`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Publish {
    /// Why, in a sentence.
    pub message: String,
    /// What to publish; the draft if neither this nor `revision` is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub state: Option<Value>,
    /// An earlier revision, to publish what it said once more: that is how one rolls back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<u64>,
    /// The version of the draft that was read, if the draft is published; another one is a conflict.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub draft: Option<u64>,
    /// The newest revision that was seen; if another was published since, it is a conflict.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
    /// Only for these nodes of the layer. The others keep what they have, and so do nodes that come later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<Selector>,
    /// How many nodes may be on their way to it at once; all at once if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_a_time: Option<u32>,
    /// It stops when so many nodes did not come in order in time; 1 if absent. For `at_a_time` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_after_failures: Option<u32>,
    /// How long a node has for that; five minutes if absent. For `at_a_time` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<Span>,
    /// Whether nodes that have it get back what they had when it stops. For `at_a_time` only.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub rolls_back: bool,
}

/// A layer's state on its way to nodes, and afterwards a revision in the layer's history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Publication {
    /// Its id.
    pub id: PublicationId,
    /// Which layer.
    pub layer: Layer,
    /// The site's key or the node's id; absent for the org.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// The node's name, for the layer of a node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of_name: Option<String>,
    /// Which revision of the layer it made.
    pub revision: u64,
    /// Where it stands.
    pub status: PublicationStatus,
    /// Why it was published.
    pub message: String,
    /// Who published it.
    pub published_by: String,
    /// When.
    pub published_at: Millis,
    /// When it was over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Millis>,
    /// The revision whose state it repeats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeats: Option<u64>,
    /// Which nodes of the layer were meant, if not all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<Selector>,
    /// How many nodes it is for.
    pub nodes: u32,
    /// How many may be on their way to it at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_a_time: Option<u32>,
    /// It stops when so many nodes did not come in order in time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_after_failures: Option<u32>,
    /// How long a node has for that.
    pub within: Span,
    /// Whether nodes that have it get back what they had when it stops.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub rolls_back: bool,
    /// How many of its nodes stand where; not in lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counts: Option<PublicationCounts>,
    /// What it says; not in lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub state: Option<Value>,
}

/// How many nodes of a publication stand where.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PublicationCounts {
    /// They have what they had before.
    pub waiting: u32,
    /// They were given it and are waited for.
    pub released: u32,
    /// In order with it.
    pub converged: u32,
    /// Not in order in time.
    pub failed: u32,
    /// They were given it, and nobody waits for them.
    pub given: u32,
    /// They got back what they had before.
    pub taken_back: u32,
    /// They never got it.
    pub skipped: u32,
}

/// How a node of a publication fares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PublicationNode {
    /// The node.
    pub node: NodeId,
    /// Its name.
    pub node_name: String,
    /// Where it stands.
    pub stage: NodeStage,
    /// The generation by which it was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation: Option<u64>,
    /// When it was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub released_at: Option<Millis>,
    /// When it was in order, or had its time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Millis>,
}

/// The body of `POST /api/v1/publications/{id}/stop`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct StopPublication {
    /// Whether nodes that have it get back what they had.
    #[serde(default)]
    pub rolls_back: bool,
}

/// The query of lists of publications and of their nodes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct PublicationQuery {
    /// The `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
    /// Rows in the page, at most 1,000; 100 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// A kind of resource that can be published.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ResourceKind {
    /// Its name.
    pub name: String,
    /// The pack it comes from.
    pub pack: String,
    /// What it is, in a sentence or two.
    pub summary: String,
    /// What of a spec never leaves the hub: JSON pointers, `*` for every item of a list or field of an object.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hub_only: Vec<String>,
    /// What no two resources of one node may share: JSON pointers into the spec.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unique: Vec<String>,
    /// What of the hub enforces it; absent: nodes apply it. What the hub enforces goes to no node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enforcer: Option<Enforcer>,
    /// JSON Schema of the spec.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub schema: Value,
}
