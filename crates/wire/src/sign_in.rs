//! Signing in with a provider, and out again, and tokens that are denied before their time.

use serde::{Deserialize, Serialize};
use sortie_rules::time::Millis;

/// With whom to sign in: the answer of `GET /api/v1/auth/provider`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SignInWith {
    /// The provider; absent if this hub has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<ProviderDetails>,
}

/// A provider as a program that signs somebody in needs to know it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProviderDetails {
    /// The provider's own name for itself, an address.
    pub issuer: String,
    /// As which client to ask.
    pub client_id: String,
    /// What to ask for, words with spaces between them.
    pub scopes: String,
    /// Where tokens are got.
    pub token_endpoint: String,
    /// Where a sign-in on another device begins; absent if the provider has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_authorization_endpoint: Option<String>,
}

/// The body of `POST /api/v1/auth/logout`.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct LogOut {
    /// The refresh token of the same sign-in, so that it is revoked as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
}

impl std::fmt::Debug for LogOut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LogOut(withheld)")
    }
}

/// The answer: the token is worth nothing any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LoggedOut {
    /// Whether the provider was told and took it.
    pub provider_told: bool,
    /// What became of the sign-in, in a sentence.
    pub detail: String,
}

/// The body of `POST /api/v1/denied-tokens`: either a token or its id.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct DenyToken {
    /// The token's id, its claim `jti`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jti: Option<String>,
    /// With `jti`: when the token ends by itself; in 30 days if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Millis>,
    /// The token itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

impl std::fmt::Debug for DenyToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DenyToken({:?}, token withheld)", self.jti)
    }
}

/// A denied token as lists show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeniedToken {
    /// Its id; `sha256:` and its hash if the provider gave it none.
    pub jti: String,
    /// Who denied it.
    pub denied_by: String,
    /// When.
    pub denied_at: Millis,
    /// Until when this is remembered: then the token has ended by itself.
    pub expires_at: Millis,
}
