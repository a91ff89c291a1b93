//! Org settings as people read and change them.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sortie_rules::time::Millis;

/// A key of the org settings, what may stand under it, and what does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OrgSetting {
    /// Its name.
    pub key: String,
    /// What it is for.
    pub meaning: String,
    /// What may stand under it.
    #[serde(rename = "type")]
    pub kind: OrgSettingType,
    /// What holds now.
    pub value: Value,
    /// What holds where nobody chose.
    pub default: Value,
    /// What a number counts, such as `seconds`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// The least that a number may be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub least: Option<i64>,
    /// The most that a number may be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most: Option<i64>,
    /// The words of which it may be one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub words: Vec<String>,
    /// Who chose what holds now; absent where the default holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_by: Option<String>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_at: Option<Millis>,
}

/// What may stand under a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum OrgSettingType {
    /// A whole number from `least` to `most`.
    Number,
    /// `true` or `false`.
    Flag,
    /// One of `words`.
    Word,
}

/// The body of `POST /api/v1/settings/evict`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct EvictOrgSettings {
    /// Which one is forgotten; all of them where none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// What every hub forgets within a second.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EvictedOrgSettings {
    /// The keys.
    pub keys: Vec<String>,
}

/// The body of `PUT /api/v1/settings/{key}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PutOrgSetting {
    /// What shall hold from now on, of the key's type and within its limits.
    pub value: Value,
}
