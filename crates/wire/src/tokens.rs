//! API tokens as people make and list them.

use serde::{Deserialize, Serialize};
use sortie_rules::access::{Permissions, Role};
use sortie_rules::ids::{OrgId, TokenId};
use sortie_rules::time::{Millis, Span};

/// The query of `POST /api/v1/tokens/{id}/revoke`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct RevokeToken {
    /// Do it even if nobody is left who can administer the org.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub force: bool,
}

/// The body of `POST /api/v1/tokens`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CreateToken {
    /// What it is for.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// To what it is limited within that, as words such as `tasks:read`; all that the role may do if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Permissions>,
    /// How long it is valid; without end if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_for: Option<Span>,
}

/// The answer: the only time that the token is shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreatedToken {
    /// What goes into `Authorization: Bearer …`.
    pub token: String,
    /// The token as lists show it.
    pub details: TokenDetails,
}

impl std::fmt::Debug for CreatedToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CreatedToken({:?}, secret withheld)", self.details)
    }
}

/// A token as lists show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TokenDetails {
    /// Its id.
    pub id: TokenId,
    /// What it is for.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// To what it is limited within that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Permissions>,
    /// Who made it.
    pub created_by: String,
    /// When it was made.
    pub created_at: Millis,
    /// Until when it is valid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Millis>,
    /// When it was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Millis>,
    /// When it was last used, to within a few minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<Millis>,
}

/// Who is asking: the answer of `GET /api/v1/whoami`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Whoami {
    /// The caller's name, as it stands in events.
    pub name: String,
    /// What the caller is.
    pub role: Role,
    /// What the caller may do.
    pub permissions: Permissions,
    /// The caller's org.
    pub org: OrgId,
    /// The hub's version.
    pub hub_version: String,
    /// The hub's time.
    pub now: Millis,
}
