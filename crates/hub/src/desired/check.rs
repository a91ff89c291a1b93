//! Whether what a layer says can be used. A layer may name resources of other layers, and change a field of theirs, so
//! it is looked at as nodes would get it: merged with the others, once for each different set of pins among the nodes
//! of the layer.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};
use sortie_rules::desired::{
    FILE, Layer, Reference, ResourceKey, Resources, SECRET, merge, read, references, replace, written,
};
use sortie_rules::enforcement::{Enforcer, read_geo};
use sortie_rules::limits::{LAYER_BYTES_MAX, RESOURCE_CONTENT_BYTES_MAX};
use sortie_wire::problem::ProblemCode;

use crate::fault::{Fault, refuse_at};
use crate::packs::ResourceKinds;

/// What a layer says by itself, strictly enough for drafts and publications alike: its size, its names, and the
/// secrets that it refers to, each with a place where it does.
pub(super) fn layer(state: &Value) -> Result<BTreeMap<String, String>, Fault> {
    let invalid = |pointer: String, why: String| refuse_at(ProblemCode::StateInvalid, pointer, format!("{why}."));
    let Value::Object(fields) = state else {
        return Err(invalid("/state".to_owned(), "A desired state is an object".to_owned()));
    };
    let bytes = state.to_string().len();
    if bytes > LAYER_BYTES_MAX {
        let why = format!("A layer has at most {LAYER_BYTES_MAX} bytes of JSON; this one has {bytes}");
        return Err(invalid("/state".to_owned(), why));
    }
    if let Some(other) = fields.keys().find(|name| *name != "resources") {
        let shown: String = other.chars().take(80).collect();
        return Err(invalid("/state".to_owned(), format!("A desired state has `resources` and no `{shown}`")));
    }
    let empty = Map::new();
    let resources = match fields.get("resources") {
        None | Some(Value::Null) => &empty,
        Some(Value::Object(resources)) => resources,
        Some(_) => return Err(invalid("/state/resources".to_owned(), "Resources are an object".to_owned())),
    };
    let mut secrets = BTreeMap::new();
    for (written, resource) in resources {
        let at = pointer_of(written);
        written.parse::<ResourceKey>().map_err(|error| invalid(at.clone(), error.to_string()))?;
        let Some(Value::Object(spec)) = resource.get("spec") else { continue };
        for reference in references(spec) {
            match reference {
                Reference::To(name) => {
                    let within = place_of(&Value::Object(spec.clone()), &name).unwrap_or_default();
                    secrets.insert(name, format!("{at}/spec{within}"));
                }
                Reference::Wrong { pointer, why } => return Err(invalid(format!("{at}/spec{pointer}"), why)),
            }
        }
    }
    Ok(secrets)
}

/// Where a value first refers to this secret, as a JSON pointer.
fn place_of(value: &Value, secret: &str) -> Option<String> {
    let below = |step: String, inner: &Value| place_of(inner, secret).map(|rest| format!("/{step}{rest}"));
    match value {
        Value::Object(fields) if fields.get(SECRET).and_then(Value::as_str) == Some(secret) => Some(String::new()),
        Value::Object(fields) => {
            fields.iter().find_map(|(name, inner)| below(name.replace('~', "~0").replace('/', "~1"), inner))
        }
        Value::Array(items) => items.iter().enumerate().find_map(|(at, inner)| below(at.to_string(), inner)),
        _ => None,
    }
}

fn pointer_of(key: &str) -> String {
    format!("/state/resources/{}", key.replace('~', "~0").replace('/', "~1"))
}

/// What nodes would get: the other layers of one set of pins, each with what it says.
pub(super) type Others = Vec<(Layer, std::sync::Arc<Value>)>;

/// Refuses a state with which one of these sets of other layers could not be used.
pub(super) fn merged(kinds: &ResourceKinds, own: Layer, state: &Value, others: &[Others]) -> Result<(), Fault> {
    let mut known_good = BTreeSet::new();
    for set in others {
        let below = set.iter().filter(|(layer, _)| *layer < own).map(|(_, value)| &**value);
        let above = set.iter().filter(|(layer, _)| *layer > own).map(|(_, value)| &**value);
        let whole = merge(below.chain(std::iter::once(state)).chain(above));
        let resources = usable(kinds, &whole, &mut known_good)?;
        enforceable(kinds, &resources)?;
    }
    Ok(())
}

/// The resources of a merged state, if it can be used.
pub(super) fn usable(
    kinds: &ResourceKinds,
    whole: &Value,
    known_good: &mut BTreeSet<String>,
) -> Result<Resources, Fault> {
    let resources = read(whole).map_err(|bad| {
        refuse_at(ProblemCode::StateInvalid, format!("/state{}", bad.pointer), format!("{}.", bad.why))
    })?;
    let mut paths: BTreeMap<&str, &ResourceKey> = BTreeMap::new();
    for (key, resource) in &resources {
        let at = pointer_of(&key.to_string());
        let Some(kind) = kinds.get(&key.kind) else {
            let known: Vec<&str> = kinds.all().map(|kind| kind.name.as_str()).collect();
            let detail = format!("There is no resource kind `{}`; known are {}.", key.kind, known.join(", "));
            return Err(refuse_at(ProblemCode::UnknownResourceKind, at, detail));
        };
        let seen = format!("{} {}", key.kind, Value::Object(resource.spec.clone()));
        if known_good.insert(seen) {
            let misfit = |pointer: String, why: String| {
                refuse_at(ProblemCode::StateInvalid, format!("{at}/spec{pointer}"), format!("{why}."))
            };
            kind.check_spec(&resource.spec).map_err(|(pointer, why)| misfit(pointer, why))?;
            if key.kind == FILE {
                sayable(&resource.spec).map_err(|(pointer, why)| misfit(pointer, why))?;
            }
        }
        let path = resource.spec.get("path").and_then(Value::as_str);
        if let Some(path) = path.filter(|_| ["file", "directory"].contains(&key.kind.as_str()))
            && let Some(other) = paths.insert(path, key)
        {
            let detail = format!("`{other}` and `{key}` are about one path.");
            return Err(refuse_at(ProblemCode::StateInvalid, format!("{at}/spec/path"), detail));
        }
    }
    Ok(resources)
}

/// Whether the data of a file can be written in its format: where not, as a JSON pointer, and why. A secret is a text,
/// whichever it is.
fn sayable(spec: &Map<String, Value>) -> Result<(), (String, String)> {
    let text = |_: &str| Ok::<_, (String, String)>(Value::from("secret"));
    match written(&replace(spec, &mut { text })?) {
        Some(Err(wrong)) => Err((wrong.pointer, wrong.why.to_owned())),
        Some(Ok(text)) if text.len() > RESOURCE_CONTENT_BYTES_MAX => {
            let (format, most) =
                (spec.get("format").and_then(Value::as_str).unwrap_or_default(), RESOURCE_CONTENT_BYTES_MAX);
            let why = format!("Written as {format} it has {} bytes, and a file has at most {most}", text.len());
            Err(("/data".to_owned(), why))
        }
        Some(Ok(_)) | None => Ok(()),
    }
}

/// Refuses what the hub could not enforce, and what would tell a node of it.
fn enforceable(kinds: &ResourceKinds, resources: &Resources) -> Result<(), Fault> {
    let refused = |key: &ResourceKey, place: &str, why: String| {
        let at = format!("{}{place}", pointer_of(&key.to_string()));
        Err(refuse_at(ProblemCode::StateInvalid, at, format!("{why}.")))
    };
    for (key, resource) in resources {
        let enforcer = kinds.get(&key.kind).and_then(|kind| kind.described.enforcer);
        match enforcer {
            Some(_) if !resource.after.is_empty() => {
                return refused(key, "/after", "the hub enforces it by itself, after nothing".to_owned());
            }
            Some(_) if resource.signed.is_some() => {
                return refused(key, "/signed", "operators sign what nodes get; the hub enforces this one".to_owned());
            }
            Some(Enforcer::Geo) => {
                if let Err(bad) = read_geo(&resource.spec) {
                    return refused(key, &format!("/spec{}", bad.pointer), bad.why);
                }
            }
            None => {
                if let Some(other) = resource.after.iter().find(|other| kinds.is_enforced(&other.kind)) {
                    let why = format!("`{other}` is enforced by the hub, and nodes know nothing of it");
                    return refused(key, "/after", why);
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packs::base;
    use serde_json::json;
    use std::sync::Arc;

    fn refusal(fault: Fault) -> (Option<String>, String) {
        let problem = fault.to_problem();
        (problem.pointer, problem.detail)
    }

    #[test]
    fn a_layer_names_resources_and_refers_to_secrets() {
        let state = json!({"resources": {
            "file/key": {"spec": {"content": {"$secret": "wifi"}}}, "file/gone": null, "file/part": {"drift": "report"},
        }});
        let found: Vec<_> = layer(&state).unwrap().into_iter().collect();
        assert_eq!(found, [("wifi".to_owned(), "/state/resources/file~1key/spec/content".to_owned())]);
        let file = |content: Value| json!({"resources": {"file/a": {"spec": {"content": content}}}});
        for (bad, at) in [
            (json!([]), "/state"),
            (json!({"resource": {}}), "/state"),
            (json!({"resources": []}), "/state/resources"),
            (json!({"resources": {"motd": {}}}), "/state/resources/motd"),
            (file(json!({"$secret": 7})), "/state/resources/file~1a/spec/content"),
            (file(json!("x".repeat(LAYER_BYTES_MAX))), "/state"),
        ] {
            assert_eq!(refusal(layer(&bad).unwrap_err()).0.as_deref(), Some(at));
        }
    }

    #[test]
    fn a_layer_is_looked_at_as_nodes_would_get_it() {
        let kinds = base().kinds;
        let org = Arc::new(json!({"resources": {"directory/srv": {"spec": {"path": "/srv"}}}}));
        let site = json!({"resources": {"file/a": {"spec": {"path": "/srv/a"}, "after": ["directory/srv"]}}});
        let with_org = vec![(Layer::Org, Arc::clone(&org))];
        merged(&kinds, Layer::Site, &site, std::slice::from_ref(&with_org)).unwrap();
        let (at, _) = refusal(merged(&kinds, Layer::Site, &site, &[with_org.clone(), Vec::new()]).unwrap_err());
        assert_eq!(at.as_deref(), Some("/state/resources/file~1a/after"), "one node has no such directory");
        let disk = json!({"resources": {"disk/a": {"spec": {}}}});
        let (_, why) = refusal(merged(&kinds, Layer::Site, &disk, std::slice::from_ref(&with_org)).unwrap_err());
        assert!(why.contains("`disk`") && why.contains("file"), "{why}");
        let twice = json!({"resources": {"file/srv": {"spec": {"path": "/srv"}}}});
        let (_, why) = refusal(merged(&kinds, Layer::Node, &twice, &[with_org]).unwrap_err());
        assert!(why.contains("one path"), "{why}");
    }
}
