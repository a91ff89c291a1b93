//! Accounts of people who sign in with a password of the hub's.

use std::fmt;

use serde::{Deserialize, Serialize};
use sortie_rules::access::Role;
use sortie_rules::ids::AccountId;
use sortie_rules::time::Millis;

/// A password on its way. It is never printed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(transparent)]
pub struct Password(pub String);

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(withheld)")
    }
}

/// The body of `POST /api/v1/accounts`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CreateAccount {
    /// What is typed to sign in; unique in the hub. The letters of names: a-z, 0-9, `-`, `_` and `.`.
    pub name: String,
    /// What its holder may do: viewer, operator or admin.
    pub role: Role,
    /// Its first password.
    pub password: Password,
}

/// The body of `PATCH /api/v1/accounts/{id}`. What is absent stays. Each change ends the account's sessions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ChangeAccount {
    /// What its holder may do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// Another password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Password>,
    /// Whether nobody signs in with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled: Option<bool>,
    /// Do it even if it is the last account of an administrator.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub force: bool,
}

/// An account as lists show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// What is typed to sign in.
    pub name: String,
    /// What its holder may do.
    pub role: Role,
    /// Who made it.
    pub created_by: String,
    /// When it was made.
    pub created_at: Millis,
    /// Since when nobody signs in with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled_at: Option<Millis>,
    /// When somebody last signed in with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_in_at: Option<Millis>,
}
