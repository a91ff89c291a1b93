//! How much trust a task type asks for.

use serde::{Deserialize, Serialize};

/// Who must have signed a task of a type before a site runs it. The hub's word on it is for display;
/// the site's policy decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// The hub's signature is enough.
    #[default]
    Routine,
    /// An operator must have signed it, offline.
    Privileged,
}

impl Class {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Class::Routine => "routine",
            Class::Privileged => "privileged",
        }
    }

    /// The class of a word.
    pub fn parse(word: &str) -> Option<Class> {
        [Class::Routine, Class::Privileged].into_iter().find(|class| class.as_str() == word)
    }
}
