//! Sessions: who is signed in to the console, or with `sortie login`.

use std::fmt;

use serde::{Deserialize, Serialize};
use sortie_rules::access::Role;
use sortie_rules::ids::SessionId;
use sortie_rules::time::Millis;

use crate::accounts::Password;

/// The body of `POST /api/v1/auth/sign-in`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// The account's name.
    pub name: String,
    /// Its password.
    pub password: Password,
    /// Whether the session is wanted as a token for `Authorization: Bearer`, and not as a cookie: for programs
    /// that are no browser.
    #[serde(default)]
    pub as_token: bool,
}

/// The body of `POST /api/v1/auth/password`: another password for one's own account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ChangePassword {
    /// The one that holds.
    pub old: Password,
    /// The one that is to hold.
    pub new: Password,
}

/// The answer to a sign-in. For a browser the session stands in a cookie, and here no token.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SignedIn {
    /// The session.
    pub session: Session,
    /// What goes into `Authorization: Bearer …`, if that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

impl fmt::Debug for SignedIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignedIn({:?}, secret withheld)", self.session)
    }
}

/// A session as lists show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// Who signed in.
    pub name: String,
    /// Where they are known: `account:ID`, or `oidc:SUBJECT`.
    pub subject: String,
    /// What they may do.
    pub role: Role,
    /// When it began.
    pub created_at: Millis,
    /// When it was last used, to within a few minutes.
    pub last_used_at: Millis,
    /// When it ends, whatever happens.
    pub ends_at: Millis,
}
