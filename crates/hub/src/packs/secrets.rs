//! Which values of a payload are secret, and which of a spec never leave the hub: JSON pointers in which `*` steps
//! through every item of a list or field of an object. The schema must know each of them, so that a misspelt one does
//! not leave a value bare.

use serde_json::Value;
use sortie_rules::limits::POINTERS_MAX;

use super::reader::{At, Reader};

/// Checks pointers against the schema of what they point into. `key` is what lists them.
pub(super) fn read(
    reader: &mut Reader<'_>,
    key: &str,
    pointers: Vec<At<String>>,
    schema: Option<&Value>,
) -> Vec<String> {
    if let Some(extra) = pointers.get(POINTERS_MAX) {
        reader.mistake(&extra.span, format!("`{key}` has at most {POINTERS_MAX} pointers"));
    }
    for pointer in &pointers {
        if !pointer.value.starts_with('/') {
            let what = format!("`{}` is not a JSON pointer; they look like `/password`, `/users/*/key`", pointer.value);
            reader.mistake(&pointer.span, what);
        } else if schema.is_some_and(|schema| !knows(schema, schema, &pointer.value, 0)) {
            let what = format!("the schema has nothing at `{}`, so it would mean nothing", pointer.value);
            reader.mistake(&pointer.span, what);
        }
    }
    pointers.into_iter().map(|pointer| pointer.value).collect()
}

/// How deep references may lead into each other.
const REFERENCES_MAX: usize = 32;

/// Whether something in the schema is about the place at `pointer`.
fn knows(root: &Value, schema: &Value, pointer: &str, depth: usize) -> bool {
    if depth > REFERENCES_MAX {
        return false;
    }
    let Some(rest) = pointer.strip_prefix('/') else { return pointer.is_empty() };
    let referred = schema.get("$ref").and_then(Value::as_str).and_then(|reference| reference.strip_prefix('#'));
    if let Some(target) = referred.and_then(|place| root.pointer(place))
        && knows(root, target, pointer, depth + 1)
    {
        return true;
    }
    let (step, rest) = rest.find('/').map_or((rest, ""), |slash| rest.split_at(slash));
    let name = step.replace("~1", "/").replace("~0", "~");
    let direct = match step {
        "*" => schema.get("items").or_else(|| schema.get("additionalProperties")),
        _ => schema.get("properties").and_then(|properties| properties.get(&name)),
    };
    let parts = ["allOf", "anyOf", "oneOf"].iter().filter_map(|word| schema.get(word)?.as_array()).flatten();
    direct.is_some_and(|inner| knows(root, inner, rest, depth + 1))
        || parts.into_iter().any(|part| knows(root, part, pointer, depth + 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_pointer_is_known_if_the_schema_speaks_of_its_place() {
        let schema = json!({
            "properties": {
                "key": {"type": "string"},
                "zones": {"additionalProperties": {"properties": {"key": {}}}},
                "users": {"type": "array", "items": {"$ref": "#/$defs/user"}},
            },
            "anyOf": [{"properties": {"token": {}}}],
            "$defs": {"user": {"properties": {"password": {}, "a/b": {}, "next": {"$ref": "#/$defs/user"}}}},
        });
        for pointer in ["/key", "/users/*/password", "/users/*/a~1b", "/token", "/zones/*/key", "/users"] {
            assert!(knows(&schema, &schema, pointer, 0), "{pointer}");
        }
        for pointer in ["/keys", "/users/password", "/users/*/passwd", "/key/inner"] {
            assert!(!knows(&schema, &schema, pointer, 0), "{pointer}");
        }
    }
}
