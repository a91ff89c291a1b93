//! Invites as people make and list them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sortie_rules::ids::{InviteId, NodeId};
use sortie_rules::time::{Millis, Span};

/// The body of `POST /api/v1/invites`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CreateInvite {
    /// The name that the node will have.
    pub node: String,
    /// The site it will belong to; made if it does not exist.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// The node that it will live on, by name or id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// What sort of node it will be; if absent `guest` for one that lives on another, else `host`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The labels it will have.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// How long the invite can be used; 1 h if absent, 30 d at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_for: Option<Span>,
    /// Whether it may give a node that exists a new key.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub replace: bool,
    /// Where agents reach the hub, if not where this request reached it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hub: Option<String>,
}

/// The answer: the only time that the invite's secret is shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreatedInvite {
    /// The line to carry to the site.
    pub invite: String,
    /// The invite as lists show it.
    pub details: InviteDetails,
}

impl std::fmt::Debug for CreatedInvite {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CreatedInvite({:?}, secret withheld)", self.details)
    }
}

/// An invite as lists show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InviteDetails {
    /// Its id.
    pub id: InviteId,
    /// The name that the node will have.
    pub node: String,
    /// The site it will belong to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// The node that it will live on, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// What sort of node it will be.
    pub kind: String,
    /// The labels it will have.
    pub labels: BTreeMap<String, String>,
    /// Whether it may give a node that exists a new key.
    pub replace: bool,
    /// Who made it.
    pub created_by: String,
    /// When it was made.
    pub created_at: Millis,
    /// Until when it can be used.
    pub expires_at: Millis,
    /// When it was withdrawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Millis>,
    /// When it was used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used_at: Option<Millis>,
    /// Whether it names an authority of the hub's that has gone since: it admits nobody any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub void: bool,
    /// The node that enrolled with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enrolled: Option<NodeId>,
}
