//! Secrets of an org: values that desired states refer to, and that only the nodes which need them can open.

use serde::{Deserialize, Serialize};
use sortie_rules::time::Millis;

/// The body of `PUT /api/v1/secrets/{name}`.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct WriteSecret {
    /// The secret itself. It is never shown again.
    pub value: String,
}

impl std::fmt::Debug for WriteSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WriteSecret(withheld)")
    }
}

/// A secret as people see it: never its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Secret {
    /// Its name.
    pub name: String,
    /// Counts its values.
    pub version: u64,
    /// Who gave it its value.
    pub changed_by: String,
    /// When.
    pub changed_at: Millis,
    /// The layers of which something refers to it that stands, goes out, or is meant for a node: `org`, `site:KEY`,
    /// `node:NAME`. Only where one secret is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used_by: Option<Vec<String>>,
}
