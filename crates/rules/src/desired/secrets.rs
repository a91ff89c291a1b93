//! References to secrets: a value `{"$secret": "name"}` stands for a secret that the hub keeps, and goes to a node as
//! `{"$sealed": …}`, which nobody but the node can open.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::names::check_name;

/// The field by which a value refers to a secret.
pub const SECRET: &str = "$secret";
/// The field by which a value holds a sealed one.
pub const SEALED: &str = "$sealed";

/// A reference that stands in a spec.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reference {
    /// To the secret of this name.
    To(String),
    /// Something that looks like one and is none, at this JSON pointer, and why.
    Wrong {
        /// Where.
        pointer: String,
        /// What is wrong, as a sentence without its full stop.
        why: String,
    },
}

/// Every reference in a spec.
pub fn references(spec: &Map<String, Value>) -> BTreeSet<Reference> {
    let mut found = BTreeSet::new();
    for (name, value) in spec {
        look(value, &format!("/{}", step(name)), &mut found);
    }
    found
}

fn step(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

fn look(value: &Value, pointer: &str, found: &mut BTreeSet<Reference>) {
    match value {
        Value::Object(fields) => {
            let is_special = |name: &String| name == SECRET || name == SEALED;
            if fields.keys().any(is_special) {
                found.insert(read(fields, pointer));
                return;
            }
            fields.iter().for_each(|(name, field)| look(field, &format!("{pointer}/{}", step(name)), found));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| look(item, &format!("{pointer}/{index}"), found));
        }
        _ => {}
    }
}

fn read(fields: &Map<String, Value>, pointer: &str) -> Reference {
    let wrong = |why: String| Reference::Wrong { pointer: pointer.to_owned(), why };
    if fields.contains_key(SEALED) {
        return wrong(format!("`{SEALED}` is for the hub to write; refer to a secret with {{\"{SECRET}\": NAME}}"));
    }
    match fields.get(SECRET) {
        Some(Value::String(name)) if fields.len() == 1 => match check_name("secret", name) {
            Ok(()) => Reference::To(name.clone()),
            Err(error) => wrong(error.to_string()),
        },
        _ => wrong(format!("a reference to a secret is {{\"{SECRET}\": NAME}} and nothing else")),
    }
}

/// The spec with each reference replaced by what `with` gives for its name.
///
/// # Errors
/// The first that `with` gives.
pub fn replace<E>(
    spec: &Map<String, Value>,
    with: &mut impl FnMut(&str) -> Result<Value, E>,
) -> Result<Map<String, Value>, E> {
    spec.iter().map(|(name, value)| Ok((name.clone(), replaced(value, with)?))).collect()
}

fn replaced<E>(value: &Value, with: &mut impl FnMut(&str) -> Result<Value, E>) -> Result<Value, E> {
    match value {
        Value::Object(fields) => match (fields.get(SECRET), fields.len()) {
            (Some(Value::String(name)), 1) => with(name),
            _ => replace(fields, with).map(Value::Object),
        },
        Value::Array(items) => {
            items.iter().map(|item| replaced(item, with)).collect::<Result<_, E>>().map(Value::Array)
        }
        other => Ok(other.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn spec(value: Value) -> Map<String, Value> {
        let Value::Object(fields) = value else { panic!("an object") };
        fields
    }

    #[test]
    fn references_are_found_wherever_they_stand_and_replaced() {
        let written =
            spec(json!({"env": {"KEY": {"$secret": "wifi"}}, "list": [{"$secret": "other"}], "plain": "$secret"}));
        let found: Vec<_> = references(&written).into_iter().collect();
        assert_eq!(found, [Reference::To("other".to_owned()), Reference::To("wifi".to_owned())]);
        let with = &mut |name: &str| Ok::<_, ()>(json!({ "$sealed": name }));
        let replaced = Value::Object(replace(&written, with).unwrap());
        let expected = json!({"env": {"KEY": {"$sealed": "wifi"}}, "list": [{"$sealed": "other"}], "plain": "$secret"});
        assert_eq!(replaced, expected);
        assert_eq!(replace(&written, &mut |_| Err("gone")), Err("gone"));
    }

    #[test]
    fn what_only_looks_like_a_reference_is_told() {
        for wrong in [
            json!({"$secret": 7}),
            json!({"$secret": "a", "more": 1}),
            json!({"$secret": "Not A Name"}),
            json!({"$sealed": "x"}),
        ] {
            let found = references(&spec(json!({"at": [wrong]}))).into_iter().next();
            assert!(matches!(&found, Some(Reference::Wrong { pointer, .. }) if pointer == "/at/0"), "{found:?}");
        }
    }
}
