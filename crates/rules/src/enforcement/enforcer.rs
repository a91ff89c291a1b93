//! What of the hub enforces resources of a kind.

use serde::{Deserialize, Serialize};

/// What of the hub enforces resources of a kind, as packs name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Enforcer {
    /// From which countries names are reached: rules at the edge.
    Geo,
}

impl Enforcer {
    /// All of them.
    pub const ALL: [Enforcer; 1] = [Enforcer::Geo];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Enforcer::Geo => "geo",
        }
    }

    /// What a word stands for.
    pub fn parse(word: &str) -> Option<Enforcer> {
        Enforcer::ALL.into_iter().find(|enforcer| enforcer.as_str() == word)
    }
}
