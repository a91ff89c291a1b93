//! Orgs as an administrator of the hub's own makes and lists them.

use serde::{Deserialize, Serialize};
use sortie_rules::ids::OrgId;
use sortie_rules::time::Millis;

use crate::tokens::CreatedToken;

/// The body of `POST /api/v1/orgs`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CreateOrg {
    /// Its name; unique.
    pub name: String,
    /// Its id, where a provider's tokens name it already; a new one if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<OrgId>,
}

/// An org.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Org {
    /// Its id, as tokens of a provider name it.
    pub id: OrgId,
    /// Its name.
    pub name: String,
    /// When it was made.
    pub created_at: Millis,
}

/// The answer: the org, and the token of its first administrator, which is shown this once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreatedOrg {
    /// The org.
    pub org: Org,
    /// Its first administrator's token.
    pub admin: CreatedToken,
}
