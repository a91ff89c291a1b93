//! The layers of a node's desired state, and how they become one: later ones win, lists replace, `null` removes.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Who says what a node should be, in the order in which the later wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    /// For every node of the org.
    Org,
    /// For every node of a site.
    Site,
    /// For one node.
    Node,
}

impl Layer {
    /// All of them, in their order.
    pub const ALL: [Layer; 3] = [Layer::Org, Layer::Site, Layer::Node];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Layer::Org => "org",
            Layer::Site => "site",
            Layer::Node => "node",
        }
    }

    /// What a word stands for.
    pub fn parse(word: &str) -> Option<Layer> {
        Layer::ALL.into_iter().find(|layer| layer.as_str() == word)
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One layer, as people name it: `org`, `site:KEY`, or `node:NAME`, where an id may stand for the name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerName {
    /// Which layer.
    pub layer: Layer,
    /// Of which site or node; empty for the org.
    pub of: String,
}

impl FromStr for LayerName {
    type Err = String;

    fn from_str(text: &str) -> Result<LayerName, String> {
        let (word, of) = text.split_once(':').unwrap_or((text, ""));
        match (Layer::parse(word), of.is_empty()) {
            (Some(Layer::Org), true) => Ok(LayerName { layer: Layer::Org, of: String::new() }),
            (Some(layer @ (Layer::Site | Layer::Node)), false) => Ok(LayerName { layer, of: of.to_owned() }),
            _ => Err("a layer is `org`, `site:KEY` or `node:NAME`".to_owned()),
        }
    }
}

impl fmt::Display for LayerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.layer {
            Layer::Org => f.write_str("org"),
            Layer::Site | Layer::Node => write!(f, "{}:{}", self.layer, self.of),
        }
    }
}

/// What the layers say together, in their order. Objects are merged field by field, anything else replaces what stood
/// there, and `null` takes it away (as RFC 7396 merges). No `null` is left.
pub fn merge<'v>(layers: impl IntoIterator<Item = &'v Value>) -> Value {
    layers.into_iter().fold(Value::Object(Map::new()), put_on)
}

fn put_on(below: Value, above: &Value) -> Value {
    let Value::Object(fields) = above else { return above.clone() };
    let mut merged = match below {
        Value::Object(merged) => merged,
        _ => Map::new(),
    };
    for (name, value) in fields {
        if value.is_null() {
            merged.remove(name);
        } else {
            let below = merged.remove(name).unwrap_or(Value::Null);
            merged.insert(name.clone(), put_on(below, value));
        }
    }
    Value::Object(merged)
}

/// Which layer each value of the merged state comes from, by JSON pointer. What is no object, or an empty one, has one
/// origin as a whole.
pub fn origins(layers: &[(Layer, &Value)]) -> BTreeMap<String, Layer> {
    let merged = merge(layers.iter().map(|(_, value)| *value));
    let mut found = BTreeMap::new();
    trace(&merged, "", layers, &mut found);
    found
}

fn trace(value: &Value, pointer: &str, layers: &[(Layer, &Value)], found: &mut BTreeMap<String, Layer>) {
    if let Value::Object(fields) = value
        && !fields.is_empty()
    {
        for (name, field) in fields {
            let step = name.replace('~', "~0").replace('/', "~1");
            trace(field, &format!("{pointer}/{step}"), layers, found);
        }
        return;
    }
    // The last layer that speaks of the place, or of one above it, decided.
    let speaks = |layer: &&(Layer, &Value)| layer.1.pointer(pointer).is_some();
    if let Some((layer, _)) = layers.iter().rev().find(speaks) {
        found.insert(pointer.to_owned(), *layer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn later_layers_win_lists_replace_and_null_removes() {
        let org = json!({"a": {"x": 1, "y": [1, 2], "z": {"deep": true}}, "b": "org", "gone": null});
        let site = json!({"a": {"y": [3], "z": null}, "b": {"now": "an object"}});
        let node = json!({"a": {"x": null}, "c": {"null": null}});
        let merged = merge([&org, &site, &node]);
        assert_eq!(merged, json!({"a": {"y": [3]}, "b": {"now": "an object"}, "c": {}}));
        assert_eq!(merge([]), json!({}));
    }

    #[test]
    fn each_value_is_told_with_the_layer_that_decided() {
        let org = json!({"a": {"x": 1, "y": [1]}, "b": {"k/1": 1}});
        let node = json!({"a": {"y": [2]}, "c": {}});
        let found = origins(&[(Layer::Org, &org), (Layer::Node, &node)]);
        let told: Vec<_> = found.iter().map(|(pointer, layer)| (pointer.as_str(), *layer)).collect();
        let expected = [("/a/x", Layer::Org), ("/a/y", Layer::Node), ("/b/k~11", Layer::Org), ("/c", Layer::Node)];
        assert_eq!(told, expected);
    }

    #[test]
    fn a_layer_is_named_as_it_is_read() {
        for name in ["org", "site:berlin", "node:box-7"] {
            assert_eq!(name.parse::<LayerName>().unwrap().to_string(), name);
        }
        for name in ["", "org:x", "site", "site:", "node", "box-7", "fleet:x"] {
            assert!(name.parse::<LayerName>().is_err(), "{name}");
        }
    }

    fn documents() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![Just(Value::Null), any::<bool>().prop_map(Value::from), (0..3).prop_map(Value::from)];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                proptest::collection::btree_map("[ab]", inner, 0..3)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    fn has_null(value: &Value) -> bool {
        match value {
            Value::Null => true,
            Value::Object(fields) => fields.values().any(has_null),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn merging_in_steps_is_merging_at_once_and_leaves_no_null(layers in proptest::collection::vec(
            proptest::collection::btree_map("[ab]", documents(), 0..3), 0..4
        )) {
            let object = |fields: std::collections::BTreeMap<_, _>| Value::Object(fields.into_iter().collect());
            let layers: Vec<Value> = layers.into_iter().map(object).collect();
            let at_once = merge(&layers);
            prop_assert!(!has_null(&at_once), "{at_once}");
            // What is merged stays as it is, also when more comes on top of it.
            let (first, rest) = layers.split_at(layers.len() / 2);
            let below = merge(first);
            prop_assert_eq!(merge(std::iter::once(&below).chain(rest)), at_once.clone());
            prop_assert_eq!(merge([&at_once, &at_once]), at_once);
        }
    }
}
