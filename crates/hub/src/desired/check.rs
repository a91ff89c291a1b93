//! Whether what a layer says can be used. A layer may name resources of other layers, and change a field of theirs, so
//! it is looked at as nodes would get it: merged with the others, once for each different set of pins among the nodes
//! of the layer.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Map, Value};
use sortie_rules::desired::{
    DIRECTORY, FILE, Layer, Reference, ResourceKey, Resources, SECRET, merge, place_in_words, read, references,
    replace, written,
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

fn resource_pointer(key: &ResourceKey) -> String {
    format!("/resources/{}~1{}", key.kind, key.name)
}

/// Another layer, and what it says.
#[derive(Debug, Clone)]
pub(super) struct Other {
    /// Which.
    pub(super) layer: Layer,
    /// As people name it.
    pub(super) name: String,
    pub(super) state: Arc<Value>,
}

/// What nodes would get: the other layers of one set of pins.
pub(super) type Others = Vec<Other>;

/// Refuses a state with which one of these sets of other layers could not be used.
pub(super) fn merged(kinds: &ResourceKinds, own: Layer, state: &Value, others: &[Others]) -> Result<(), Fault> {
    let mut known_good = BTreeSet::new();
    for set in others {
        let below = set.iter().filter(|other| other.layer < own).map(|other| &*other.state);
        let above = set.iter().filter(|other| other.layer > own).map(|other| &*other.state);
        let whole = merge(below.chain(std::iter::once(state)).chain(above));
        sound(kinds, &whole, Some(state), &mut known_good).map_err(|fault| whose(fault, kinds, state, set))?;
    }
    Ok(())
}

/// Refuses a merged state that cannot be used. What `own` says of it may be repeated.
fn sound(
    kinds: &ResourceKinds,
    whole: &Value,
    own: Option<&Value>,
    known_good: &mut BTreeSet<String>,
) -> Result<(), Fault> {
    let resources = usable(kinds, whole, own, known_good)?;
    apart(kinds, &resources)?;
    enforceable(kinds, &resources)
}

/// A fault of a merged state, with the layer that it stems from where that is not the one that is looked at.
fn whose(fault: Fault, kinds: &ResourceKinds, own: &Value, set: &Others) -> Fault {
    let Fault::Problem(mut problem) = fault else { return fault };
    let place = problem.pointer.as_deref().and_then(|pointer| pointer.strip_prefix("/state"));
    let place = place.unwrap_or_default().to_owned();
    let resource: String = place.split('/').skip(1).take(2).map(|step| format!("/{step}")).collect();
    let says = |state: &Value, place: &str| state.pointer(place).is_some_and(|value| !value.is_null());
    let speaks = |place: &str| set.iter().rev().find(|other| says(&other.state, place));
    let Some(other) = speaks(&place).or_else(|| speaks(&resource)) else { return problem.into() };
    let without = merge(set.iter().map(|other| &*other.state));
    let stands_without = sound(kinds, &without, None, &mut BTreeSet::new());
    let is_there_anyhow = matches!(&stands_without, Err(Fault::Problem(same)) if same.pointer == problem.pointer);
    let name = &other.name;
    if is_there_anyhow && own.pointer(&place).is_none_or(Value::is_object) {
        problem.detail.push_str(&format!(
            " That stands in the layer `{name}`, and nothing of what you publish is wrong: mend it there first \
             (`sortie state edit {name}`)."
        ));
    } else if !says(own, &resource) {
        problem.detail.push_str(&format!(" It is the layer `{name}` that names it, and with this one it does not go."));
    }
    Fault::Problem(problem)
}

/// The resources of a merged state, if it can be used. A refusal repeats no value but those that `own` says.
pub(super) fn usable(
    kinds: &ResourceKinds,
    whole: &Value,
    own: Option<&Value>,
    known_good: &mut BTreeSet<String>,
) -> Result<Resources, Fault> {
    let resources = read(whole).map_err(|bad| {
        refuse_at(ProblemCode::StateInvalid, format!("/state{}", bad.pointer), format!("{}.", bad.why))
    })?;
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
                let pointer = format!("{at}/spec{pointer}");
                let place = place_in_words(&pointer).unwrap_or_default();
                let detail = format!("{place}: {why}. `sortie state kinds {}` shows what fits.", key.kind);
                refuse_at(ProblemCode::StateInvalid, pointer, detail)
            };
            let may_tell = |pointer: &str| {
                let said = own.and_then(|own| own.pointer(&format!("{}/spec{pointer}", resource_pointer(key))));
                said.is_some_and(|said| Value::Object(resource.spec.clone()).pointer(pointer) == Some(said))
            };
            kind.check_spec(&resource.spec, &may_tell).map_err(|(pointer, why)| misfit(pointer, why))?;
            if key.kind == FILE {
                sayable(&resource.spec).map_err(|(pointer, why)| misfit(pointer, why))?;
            }
        }
    }
    Ok(resources)
}

/// Refuses two resources that are about one thing: one path, or what their kind says that no two share.
fn apart(kinds: &ResourceKinds, resources: &Resources) -> Result<(), Fault> {
    let mut claimed: BTreeMap<(&str, &str, String), &ResourceKey> = BTreeMap::new();
    for (key, resource) in resources {
        // A file and a folder are of two kinds, and share the paths.
        let is_at_path = [FILE, DIRECTORY].contains(&key.kind.as_str());
        let path = resource.spec.get("path").filter(|_| is_at_path).map(|path| ((FILE, "/path"), path.to_string()));
        let kind = kinds.get(&key.kind);
        let unique = kind.into_iter().flat_map(|kind| kind.unique(&resource.spec));
        let unique = unique.map(|(pointer, said)| ((key.kind.as_str(), pointer), said));
        for ((kind, pointer), said) in path.into_iter().chain(unique) {
            let Some(other) = claimed.insert((kind, pointer, said), key) else { continue };
            let field = pointer.replace('/', ".");
            let detail = format!(
                "`{other}` and `{key}` are about one thing: both say the same of `spec{field}`, which of a node's \
                 resources one may. Take one of them out."
            );
            let at = format!("{}/spec{pointer}", pointer_of(&key.to_string()));
            return Err(refuse_at(ProblemCode::StateInvalid, at, detail));
        }
    }
    Ok(())
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

    fn other(layer: Layer, name: &str, state: Value) -> Other {
        Other { layer, name: name.to_owned(), state: Arc::new(state) }
    }

    #[test]
    fn a_layer_is_looked_at_as_nodes_would_get_it() {
        let kinds = base().kinds;
        let org = json!({"resources": {"directory/srv": {"spec": {"path": "/srv"}}}});
        let site = json!({"resources": {"file/a": {"spec": {"path": "/srv/a"}, "after": ["directory/srv"]}}});
        let with_org = vec![other(Layer::Org, "org", org)];
        merged(&kinds, Layer::Site, &site, std::slice::from_ref(&with_org)).unwrap();
        let (at, _) = refusal(merged(&kinds, Layer::Site, &site, &[with_org.clone(), Vec::new()]).unwrap_err());
        assert_eq!(at.as_deref(), Some("/state/resources/file~1a/after"), "one node has no such directory");
        let disk = json!({"resources": {"disk/a": {"spec": {}}}});
        let (_, why) = refusal(merged(&kinds, Layer::Site, &disk, std::slice::from_ref(&with_org)).unwrap_err());
        assert!(why.contains("`disk`") && why.contains("file"), "{why}");
        let twice = json!({"resources": {"file/srv": {"spec": {"path": "/srv"}}}});
        let (_, why) = refusal(merged(&kinds, Layer::Node, &twice, &[with_org]).unwrap_err());
        assert!(why.contains("`directory/srv` and `file/srv`") && why.contains("`spec.path`"), "{why}");
    }

    #[test]
    fn a_misfit_is_told_with_its_place_and_with_what_this_layer_says() {
        let kinds = base().kinds;
        let file = |mode: &str| json!({"resources": {"file/a": {"spec": {"path": "/a", "mode": mode}}}});
        let (at, why) = refusal(merged(&kinds, Layer::Org, &file("rw"), &[Vec::new()]).unwrap_err());
        assert_eq!(at.as_deref(), Some("/state/resources/file~1a/spec/mode"));
        let said = "file/a: spec.mode: \"rw\" does not match \"^0[0-7]{3}$\" (Rights, as four octal digits such as \
                    0644). `sortie state kinds file` shows what fits.";
        assert_eq!(why, said);
        // What another layer puts over it is that layer's to read.
        let above = vec![other(Layer::Node, "node:north", file("hunter22"))];
        let (_, why) = refusal(merged(&kinds, Layer::Org, &file("0644"), &[above]).unwrap_err());
        assert!(why.contains("what stands there does not match") && !why.contains("hunter22"), "{why}");
    }

    #[test]
    fn what_stems_from_another_layer_is_not_told_as_this_one_s() {
        let kinds = base().kinds;
        let org = json!({"resources": {
            "directory/srv": {"spec": {"path": "/srv"}}, "file/bad": {"spec": {"path": "bad"}},
        }});
        let mine = json!({"resources": {"file/mine": {"spec": {"path": "/mine"}}}});
        let set = vec![other(Layer::Org, "org", org)];
        let (at, why) = refusal(merged(&kinds, Layer::Node, &mine, std::slice::from_ref(&set)).unwrap_err());
        assert_eq!(at.as_deref(), Some("/state/resources/file~1bad/spec/path"));
        assert!(why.contains("in the layer `org`, and nothing of what you publish is wrong"), "{why}");
        assert!(why.contains("`sortie state edit org`"), "{why}");
        // What I say myself is mine, whoever said it before.
        let (_, why) = refusal(
            merged(&kinds, Layer::Node, &json!({"resources": {"file/bad": {"spec": {"path": "worse"}}}}), &[set])
                .unwrap_err(),
        );
        assert!(why.contains("\"worse\"") && !why.contains("nothing of what you publish"), "{why}");
        // Of two layers that do not go together, this one may be the one to mend.
        let site = json!({"resources": {"file/a": {"spec": {"path": "/a"}, "after": ["directory/gone"]}}});
        let above = vec![other(Layer::Site, "site:berlin", site)];
        let (_, why) = refusal(merged(&kinds, Layer::Org, &mine, &[above]).unwrap_err());
        assert!(why.contains("in the layer `site:berlin`"), "{why}");
        let state = json!({"resources": {"directory/gone": {"spec": {"path": "/gone"}}}});
        let below = vec![
            other(Layer::Org, "org", state),
            other(
                Layer::Site,
                "site:berlin",
                json!({"resources": {
                    "file/a": {"spec": {"path": "/a"}, "after": ["directory/gone"]},
                }}),
            ),
        ];
        let taken_out = json!({"resources": {"directory/gone": null}});
        let (_, why) = refusal(merged(&kinds, Layer::Node, &taken_out, &[below]).unwrap_err());
        assert!(why.contains("It is the layer `site:berlin` that names it") && !why.contains("nothing"), "{why}");
    }
}
