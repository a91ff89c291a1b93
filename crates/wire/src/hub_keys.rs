//! The hub's keys as administrators see and rotate them.

use serde::{Deserialize, Serialize};
use sortie_rules::ids::{NodeId, OrgId};
use sortie_rules::time::Millis;

/// The hub's keys: the answer to `GET /api/v1/keys`, and to each change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HubKeys {
    /// The version of the newest key set. A change names it, so that it is made to what was looked at.
    pub version: u64,
    /// Every key that is believed, in the order in which they came.
    pub keys: Vec<HubKey>,
    /// How many nodes follow the hub's keys.
    pub nodes: u64,
    /// How many of them could not do without what is leaving. A rotation is not finished while there are any.
    pub lagging: u64,
    /// Which those are, the ones not heard for longest first; at most 100.
    pub laggards: Vec<Laggard>,
    /// The newest key set that a node says it has, if that is newer than the hub's: the hub was restored from
    /// a backup older than its last rotation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ahead: Option<u64>,
}

/// One key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HubKey {
    /// What sort of key.
    pub what: KeySort,
    /// The id of a delivery key, or the fingerprint of an authority's certificate.
    pub id: String,
    /// How far it has come.
    pub state: KeyState,
    /// Since when.
    pub since: Millis,
    /// The first key set that names it.
    pub version: u64,
}

/// What sort of key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum KeySort {
    /// It signs deliveries and key sets.
    Delivery,
    /// A certificate authority of the hub's own.
    Authority,
    /// An authority that vouches for a certificate which the hub's operator gave it.
    Given,
}

/// How far a key has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum KeyState {
    /// Announced, and not used yet.
    Coming,
    /// In use.
    Current,
    /// Believed, and not used any more.
    Leaving,
}

/// A node that could not do without what is leaving.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Laggard {
    /// Which node.
    pub node: NodeId,
    /// Its name.
    pub name: String,
    /// Its org.
    pub org: OrgId,
    /// The key set that it says it has.
    pub version: u64,
    /// What it lacks.
    pub lacks: Lack,
    /// When it was last heard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heard_at: Option<Millis>,
}

/// What a node lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Lack {
    /// The key set with what is in use.
    Keys,
    /// A certificate of the newest authority.
    Certificate,
}

/// The body of `POST /api/v1/keys/rotate`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RotateKeys {
    /// What shall be followed by a new one.
    pub what: Rotatable,
    /// The version of the key set that was looked at. The same request again changes nothing more.
    pub from: u64,
    /// Use the new one at once, and not only when nodes have heard of it: for a key that was stolen.
    #[serde(default)]
    pub at_once: bool,
}

/// What can be followed by a new one of its sort.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Rotatable {
    /// The key that signs deliveries and key sets.
    Delivery,
    /// The hub's own certificate authority.
    Authority,
}

/// The body of `POST /api/v1/keys/finish`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct FinishKeys {
    /// The version of the key set that was looked at. The same request again changes nothing more.
    pub from: u64,
    /// Also while nodes lag.
    #[serde(default)]
    pub force: bool,
}
