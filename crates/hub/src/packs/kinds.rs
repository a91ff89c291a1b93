//! Resource kinds: what can stand in a desired state, and which specs fit.

use std::collections::BTreeMap;
use std::sync::Arc;

use jsonschema::Validator;
use serde_json::{Map, Value};
use sortie_rules::desired::{replace, touches_hidden};
use sortie_wire::desired::ResourceKind;

use super::misfit::in_words;

/// All resource kinds, by name.
#[derive(Debug, Default)]
pub(crate) struct ResourceKinds(pub(super) BTreeMap<String, Arc<KnownKind>>);

/// One resource kind, ready to judge.
#[derive(Debug)]
pub(crate) struct KnownKind {
    pub(crate) described: ResourceKind,
    pub(super) schema: Validator,
}

impl ResourceKinds {
    /// Every kind, by name.
    pub(crate) fn all(&self) -> impl Iterator<Item = &ResourceKind> {
        self.0.values().map(|known| &known.described)
    }

    /// The kind of this name, if there is one now.
    pub(crate) fn get(&self, name: &str) -> Option<&KnownKind> {
        self.0.get(name).map(|known| &**known)
    }

    /// Whether there is a kind whose resources the hub itself enforces.
    pub(crate) fn has_enforced(&self) -> bool {
        self.all().any(|kind| kind.enforcer.is_some())
    }

    /// Whether the hub itself enforces resources of this kind.
    pub(crate) fn is_enforced(&self, name: &str) -> bool {
        self.get(name).is_some_and(|kind| kind.described.enforcer.is_some())
    }
}

impl KnownKind {
    /// Where a spec does not fit, as a JSON pointer, and why, as a sentence without its full stop. It repeats the value
    /// that stands there only if `may_tell` says so of the pointer, and never what stays at the hub. Where a reference
    /// to a secret stands, the schema must take a text: it is held against the schema as the secret's name.
    pub(crate) fn check_spec(
        &self,
        spec: &Map<String, Value>,
        may_tell: &dyn Fn(&str) -> bool,
    ) -> Result<(), (String, String)> {
        let text = |name: &str| Ok::<_, (String, String)>(Value::from(name));
        let as_texts = Value::Object(replace(spec, &mut { text })?);
        // To say yes is cheap; only a refusal pays for finding the place.
        if self.schema.is_valid(&as_texts) {
            return Ok(());
        }
        let Some(error) = self.schema.iter_errors(&as_texts).next() else { return Ok(()) };
        let pointer = error.instance_path().to_string();
        let may_tell = !touches_hidden(&pointer, &self.described.hub_only) && may_tell(&pointer);
        let whole = may_tell.then(|| Value::Object(spec.clone()));
        let given = whole.as_ref().and_then(|whole| whole.pointer(&pointer));
        let why = in_words(&error, &self.described.schema, given);
        Err((pointer, why))
    }

    /// What two resources of one node must not share: each pointer of the kind's, with what this spec says there.
    pub(crate) fn unique<'k>(&'k self, spec: &Map<String, Value>) -> impl Iterator<Item = (&'k str, String)> {
        let whole = Value::Object(spec.clone());
        let said = move |pointer: &'k String| Some((pointer.as_str(), whole.pointer(pointer)?.to_string()));
        self.described.unique.iter().filter_map(said)
    }
}

#[cfg(test)]
mod tests {
    use crate::packs::load::base;
    use serde_json::{Value, json};

    #[test]
    fn specs_of_the_base_kinds_are_held_against_their_schemas() {
        let kinds = base().kinds;
        let misfit = |kind: &str, spec: Value| {
            let Value::Object(spec) = spec else { panic!("an object") };
            kinds.get(kind).unwrap().check_spec(&spec, &|_| true).err()
        };
        for (kind, good) in [
            ("file", json!({"path": "/etc/motd", "content": "hello\n", "mode": "0644"})),
            ("file", json!({"path": "/etc/key", "content": {"$secret": "wifi-key"}, "owner": "app"})),
            ("file", json!({"path": "/etc/old", "ensure": "absent"})),
            ("file", json!({"path": "/etc/x", "data": {"a": [1, {"$secret": "k"}]}, "format": "toml"})),
            ("directory", json!({"path": "/srv/app", "mode": "0750"})),
            ("service", json!({"service": "nginx", "state": "running", "enabled": true})),
            ("command", json!({"anything": [1, 2, {"at": "all"}]})),
        ] {
            assert_eq!(misfit(kind, good.clone()), None, "{kind} {good}");
        }
        for (kind, bad, at) in [
            ("file", json!({"content": "x"}), ""),
            ("file", json!({"path": "etc/motd"}), "/path"),
            ("file", json!({"path": "/a/../b"}), "/path"),
            ("file", json!({"path": "/a", "mode": "u+x"}), "/mode"),
            ("file", json!({"path": "/a", "content": "x", "content_base64": "eA=="}), ""),
            ("file", json!({"path": "/a", "ensure": "absent", "content": "x"}), ""),
            ("file", json!({"path": "/a", "content": "x", "data": {}, "format": "json"}), ""),
            ("file", json!({"path": "/a", "data": {}}), ""),
            ("file", json!({"path": "/a", "data": {}, "format": "ini"}), "/format"),
            ("directory", json!({"path": "/a", "content": "x"}), ""),
            ("service", json!({"service": "-x", "state": "running"}), "/service"),
            ("service", json!({"service": "x", "state": "up"}), "/state"),
        ] {
            let (pointer, why) = misfit(kind, bad.clone()).unwrap_or_else(|| panic!("{kind} {bad}"));
            assert_eq!(pointer, at, "{bad}: {why}");
        }
        assert!(kinds.get("disk").is_none());
    }
}
