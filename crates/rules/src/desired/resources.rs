//! Reads a merged state: the resources in it, strictly.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::key::ResourceKey;
use super::order::in_order;
use crate::limits::{RESOURCE_AFTER_MAX, RESOURCES_MAX};

/// The resources of one node, by key.
pub type Resources = BTreeMap<ResourceKey, Resource>;

/// One resource: how it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Resource {
    /// How it should be; what may stand here is for the schema of its kind to say.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub spec: Map<String, Value>,
    /// Resources that must be in order first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<ResourceKey>,
    /// What is done when it is found otherwise later.
    #[serde(default, skip_serializing_if = "Drift::is_usual")]
    pub drift: Drift,
    /// What operators have signed of it, for sites that demand that: an envelope.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub signed: Option<Value>,
}

/// What an agent does when a resource that was in order is found otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Drift {
    /// It brings it in order again.
    #[default]
    Correct,
    /// It only tells.
    Report,
}

impl Drift {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
    fn is_usual(&self) -> bool {
        *self == Drift::Correct
    }
}

/// Why a state cannot be used: where, as a JSON pointer, and what is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why} (at {pointer})")]
pub struct BadState {
    /// The place.
    pub pointer: String,
    /// What is wrong there, as a sentence without its full stop.
    pub why: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    #[serde(default)]
    resources: BTreeMap<String, Value>,
}

/// Reads a merged state. Whether each spec fits its kind is for the kind's schema to say.
///
/// # Errors
/// The first thing that is wrong, by the order of the keys: a field that no state has, a key that names no resource, a
/// resource that cannot be read, one that comes after itself or after one that is not there.
pub fn read(state: &Value) -> Result<Resources, BadState> {
    let bad = |pointer: &str, why: String| BadState { pointer: pointer.to_owned(), why };
    if !state.is_object() {
        return Err(bad("", "a desired state is an object".to_owned()));
    }
    let text = Text::deserialize(state).map_err(|error| bad("", format!("this is no desired state: {error}")))?;
    if text.resources.len() > RESOURCES_MAX {
        let why = format!("a node has at most {RESOURCES_MAX} resources; these are {}", text.resources.len());
        return Err(bad("/resources", why));
    }
    let mut resources = Resources::new();
    for (written, value) in &text.resources {
        let pointer = pointer_of(written);
        let key: ResourceKey = written.parse().map_err(|error| bad(&pointer, format!("{error}")))?;
        if !value.is_object() {
            return Err(bad(&pointer, "a resource is an object".to_owned()));
        }
        let resource = Resource::deserialize(value).map_err(|error| bad(&pointer, error.to_string()))?;
        if resource.after.len() > RESOURCE_AFTER_MAX {
            let why = format!("a resource comes after at most {RESOURCE_AFTER_MAX} others");
            return Err(bad(&format!("{pointer}/after"), why));
        }
        resources.insert(key, resource);
    }
    in_order(&resources).map_err(|disorder| {
        let at = disorder.of().map(|of| format!("{}/after", pointer_of(&of.to_string()))).unwrap_or_default();
        bad(&at, disorder.to_string())
    })?;
    Ok(resources)
}

fn pointer_of(key: &str) -> String {
    format!("/resources/{}", key.replace('~', "~0").replace('/', "~1"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn refusal(state: Value) -> String {
        read(&state).unwrap_err().to_string()
    }

    #[test]
    fn resources_are_read_and_written_back() {
        let state = json!({"resources": {
            "directory/srv": {"spec": {"path": "/srv/app"}},
            "file/motd": {"spec": {"path": "/srv/app/motd"}, "after": ["directory/srv"], "drift": "report"},
        }});
        let resources = read(&state).unwrap();
        assert_eq!(json!({"resources": resources}), state);
        assert_eq!(resources.values().map(|one| one.drift).collect::<Vec<_>>(), [Drift::Correct, Drift::Report]);
        assert_eq!(read(&json!({})), Ok(Resources::new()));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        for (state, said) in [
            (json!([]), "a desired state is an object"),
            (json!({"resources": {"file/a": [{}]}}), "a resource is an object (at /resources/file~1a)"),
            (json!({"resource": {}}), "unknown field `resource`"),
            (json!({"resources": {"motd": {"spec": {}}}}), "(at /resources/motd)"),
            (json!({"resources": {"file/a": {}}}), "missing field `spec` (at /resources/file~1a)"),
            (json!({"resources": {"file/a": {"spec": [], }}}), "(at /resources/file~1a)"),
            (json!({"resources": {"file/a": {"spec": {}, "drift": "ignore"}}}), "unknown variant `ignore`"),
            (json!({"resources": {"file/a": {"spec": {}, "after": ["file/b"]}}}), "(at /resources/file~1a/after)"),
            (json!({"resources": {"file/a": {"spec": {}, "after": ["file/a"]}}}), "file/a -> file/a (at"),
        ] {
            let refusal = refusal(state);
            assert!(refusal.contains(said), "{refusal}");
        }
    }
}
