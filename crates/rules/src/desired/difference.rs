//! What two states differ in, by meaning: which resources come, go and change, and in which fields.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::key::ResourceKey;
use super::resources::{Drift, Resource, Resources};

/// What happens to one resource on the way from one state to another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ResourceChange {
    /// Which resource.
    pub resource: ResourceKey,
    /// What happens to it.
    pub change: Change,
    /// What differs, or what it is if it is added; empty if it goes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldChange>,
}

/// How a resource differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It was not there.
    Added,
    /// It is not there any more: agents leave the thing as it is and look after it no more.
    Removed,
    /// Some of its fields differ.
    Changed,
}

/// One value that differs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FieldChange {
    /// Where in the resource, as a JSON pointer: `/spec/content`.
    pub pointer: String,
    /// What stood there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub from: Option<Value>,
    /// What stands there now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub to: Option<Value>,
}

/// What differs between two states of one layer. A layer may say a part of what a resource should be, with `null` for
/// what it takes away; a resource that it takes away as a whole is told as `/spec/$removed`.
pub fn layers_differ(from: &Value, to: &Value) -> Vec<ResourceChange> {
    difference(&of_layer(from), &of_layer(to))
}

fn of_layer(state: &Value) -> Resources {
    let Some(Value::Object(resources)) = state.get("resources") else { return Resources::new() };
    let said = |resource: &Value| {
        let field = |name: &str| resource.get(name).cloned().unwrap_or_default();
        let spec = match resource {
            Value::Null => Map::from_iter([("$removed".to_owned(), Value::Bool(true))]),
            resource => resource.get("spec").and_then(Value::as_object).cloned().unwrap_or_default(),
        };
        let after = serde_json::from_value(field("after")).unwrap_or_default();
        let drift = serde_json::from_value(field("drift")).unwrap_or_default();
        Resource { spec, after, drift, signed: resource.get("signed").cloned() }
    };
    resources.iter().filter_map(|(key, resource)| Some((key.parse().ok()?, said(resource)))).collect()
}

/// What differs between two states, by key. The order of fields, and of what a resource comes after, means nothing.
pub fn difference(from: &Resources, to: &Resources) -> Vec<ResourceChange> {
    let mut changes = Vec::new();
    let whole =
        |resource: &ResourceKey, change| ResourceChange { resource: resource.clone(), change, fields: Vec::new() };
    for (key, before) in from {
        match to.get(key) {
            None => changes.push(whole(key, Change::Removed)),
            Some(after) => {
                let fields = fields(before, after);
                if !fields.is_empty() {
                    changes.push(ResourceChange { resource: key.clone(), change: Change::Changed, fields });
                }
            }
        }
    }
    changes.extend(to.iter().filter(|(key, _)| !from.contains_key(*key)).map(|(key, added)| {
        let nothing = Resource { spec: Map::new(), after: Vec::new(), drift: Drift::Correct, signed: None };
        let fields = fields(&nothing, added).into_iter().map(|field| FieldChange { from: None, ..field }).collect();
        ResourceChange { fields, ..whole(key, Change::Added) }
    }));
    changes.sort_by(|a, b| a.resource.cmp(&b.resource));
    changes
}

fn fields(before: &Resource, after: &Resource) -> Vec<FieldChange> {
    let mut found = Vec::new();
    compare_fields(&before.spec, &after.spec, "/spec", &mut found);
    let plain = |resource: &Resource| {
        let mut after = resource.after.clone();
        after.sort();
        after.dedup();
        (json!(after), json!(resource.drift))
    };
    let ((after_before, drift_before), (after_after, drift_after)) = (plain(before), plain(after));
    compare(&after_before, &after_after, "/after", &mut found);
    compare(&drift_before, &drift_after, "/drift", &mut found);
    let (signed_before, signed_after) = (json!(before.signed), json!(after.signed));
    compare(&signed_before, &signed_after, "/signed", &mut found);
    found
}

fn compare(from: &Value, to: &Value, pointer: &str, found: &mut Vec<FieldChange>) {
    match (from, to) {
        (Value::Object(from), Value::Object(to)) => compare_fields(from, to, pointer, found),
        (from, to) if from == to => {}
        (from, to) => {
            found.push(FieldChange { pointer: pointer.to_owned(), from: Some(from.clone()), to: Some(to.clone()) })
        }
    }
}

fn compare_fields(from: &Map<String, Value>, to: &Map<String, Value>, pointer: &str, found: &mut Vec<FieldChange>) {
    let at = |name: &str| format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
    for (name, before) in from {
        match to.get(name) {
            Some(after) => compare(before, after, &at(name), found),
            None => found.push(FieldChange { pointer: at(name), from: Some(before.clone()), to: None }),
        }
    }
    for (name, after) in to.iter().filter(|(name, _)| !from.contains_key(*name)) {
        found.push(FieldChange { pointer: at(name), from: None, to: Some(after.clone()) });
    }
}

#[cfg(test)]
mod tests {
    use super::super::resources::read;
    use super::*;

    fn state(resources: Value) -> Resources {
        read(&json!({ "resources": resources })).unwrap()
    }

    #[test]
    fn changes_are_told_by_resource_and_field_and_order_means_nothing() {
        let from = state(json!({
            "file/a": {"spec": {"path": "/a", "mode": "0644", "deep": {"x": 1}}, "after": ["file/b", "file/c"]},
            "file/b": {"spec": {"path": "/b"}}, "file/c": {"spec": {"path": "/c"}},
        }));
        let to = state(json!({
            "file/a": {"spec": {"deep": {"x": 2}, "path": "/a", "owner": "app"}, "after": ["file/c", "file/b"]},
            "file/b": {"spec": {"path": "/b"}}, "file/c": {"spec": {"path": "/c"}, "drift": "report"},
            "file/d": {"spec": {"path": "/d"}, "drift": "report"},
        }));
        let told: Vec<String> = difference(&from, &to)
            .into_iter()
            .map(|one| {
                let fields: Vec<_> = one.fields.iter().map(|field| field.pointer.as_str()).collect();
                format!("{} {:?} {}", one.resource, one.change, fields.join(" "))
            })
            .collect();
        let expected = [
            "file/a Changed /spec/deep/x /spec/mode /spec/owner",
            "file/c Changed /drift",
            "file/d Added /spec/path /drift",
        ];
        assert_eq!(told, expected);
        assert_eq!(difference(&to, &from).iter().filter(|one| one.change == Change::Removed).count(), 1);
        assert_eq!(difference(&from, &from), []);
    }

    #[test]
    fn what_a_layer_takes_away_differs_from_what_it_does_not_speak_of() {
        let from = json!({"resources": {"file/a": {"spec": {"mode": "0644"}}, "file/b": {"drift": "report"}}});
        let to = json!({"resources": {"file/a": {"spec": {"mode": "0644", "owner": null}}, "file/c": null}});
        let told: Vec<_> = layers_differ(&from, &to).into_iter().map(|one| (one.resource.name, one.change)).collect();
        let expected = [("a", Change::Changed), ("b", Change::Removed), ("c", Change::Added)];
        assert_eq!(told, expected.map(|(name, change)| (name.to_owned(), change)));
    }
}
