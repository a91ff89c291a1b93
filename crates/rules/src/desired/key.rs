//! What a resource is called: its kind and its name, written `file/motd`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::names::check_name;

/// The kind and the name of a resource. Two resources of a node never share both.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceKey {
    /// What sort of thing it is, such as `file`, or `storage.policy` of a pack.
    pub kind: String,
    /// Which one of them.
    pub name: String,
}

/// A text that names no resource.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` names no resource: {why}; resources are called KIND/NAME, such as `file/motd`")]
pub struct BadKey {
    text: String,
    why: String,
}

/// Whether a kind of resource may be called so: as task types may, in small letters.
pub fn check_kind(kind: &str) -> Result<(), String> {
    check_name("kind of resource", kind).map_err(|error| error.to_string())
}

impl FromStr for ResourceKey {
    type Err = BadKey;

    fn from_str(text: &str) -> Result<ResourceKey, BadKey> {
        let bad = |why: String| BadKey { text: text.chars().take(80).collect(), why };
        let (kind, name) = text.split_once('/').ok_or_else(|| bad("there is no `/` in it".to_owned()))?;
        check_kind(kind).map_err(bad)?;
        check_name("name of a resource", name).map_err(|error| bad(error.to_string()))?;
        Ok(ResourceKey { kind: kind.to_owned(), name: name.to_owned() })
    }
}

impl fmt::Display for ResourceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind, self.name)
    }
}

impl Serialize for ResourceKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ResourceKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<ResourceKey, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_back_as_it_was_written_and_nothing_else_is_one() {
        for text in ["file/motd", "storage.policy/disk-1"] {
            assert_eq!(text.parse::<ResourceKey>().unwrap().to_string(), text);
        }
        for (text, why) in [("motd", "no `/`"), ("File/x", "only a-z"), ("file/", "empty"), ("file/a/b", "only a-z")] {
            let refusal = text.parse::<ResourceKey>().unwrap_err().to_string();
            assert!(refusal.contains(why) && refusal.contains("KIND/NAME"), "{refusal}");
        }
    }
}
