//! A JSON Schema of a pack. It refers to nothing outside of itself: a hub reads no file and asks no
//! server because a schema says so.

use jsonschema::Validator;
use serde_json::Value;

use super::files::PackFiles;
use super::mistake::Mistake;

/// A schema, as written and ready to judge.
#[derive(Debug, Clone)]
pub(super) struct Schema {
    pub(super) written: Value,
    pub(super) validator: Validator,
}

/// Reads a schema of a pack.
pub(super) fn read(files: &PackFiles, name: &str) -> Result<Schema, Mistake> {
    let text = files.read(name)?;
    let file = files.shown(name);
    let written: Value = serde_json::from_str(&text).map_err(|error| Mistake {
        file: file.clone(),
        line: error.line().max(1),
        column: error.column().max(1),
        what: format!("this is not JSON: {error}"),
    })?;
    if !written.is_object() && !written.is_boolean() {
        return Err(Mistake::of_file(file, "a JSON Schema is an object"));
    }
    if let Some(reference) = foreign_reference(&written) {
        let offset = text.find(reference).unwrap_or(0);
        let what = format!("`$ref` to `{reference}`: a schema refers only to parts of itself, such as `#/$defs/x`");
        return Err(Mistake::in_text(file, &text, offset, what));
    }
    let validator = jsonschema::validator_for(&written).map_err(|error| {
        let place = error.instance_path().to_string();
        let place = if place.is_empty() { "the schema".to_owned() } else { place };
        Mistake::in_text(&file, &text, offset_of(&text, &place), format!("not a JSON Schema: {error} (at {place})"))
    })?;
    Ok(Schema { written, validator })
}

/// The first reference that leads out of the schema.
fn foreign_reference(value: &Value) -> Option<&str> {
    match value {
        Value::Object(fields) => fields.iter().find_map(|(key, value)| {
            let foreign = value.as_str().filter(|text| {
                matches!(key.as_str(), "$ref" | "$dynamicRef" | "$recursiveRef") && !text.starts_with('#')
            });
            foreign.or_else(|| foreign_reference(value))
        }),
        Value::Array(items) => items.iter().find_map(foreign_reference),
        _ => None,
    }
}

/// Where the last named key of a JSON pointer stands, found by looking for its keys one after the
/// other; the beginning if it is not found.
fn offset_of(text: &str, pointer: &str) -> usize {
    let mut at = 0;
    for key in pointer.split('/').filter(|key| !key.is_empty() && key.parse::<usize>().is_err()) {
        if let Some(found) = text[at..].find(&format!("\"{key}\"")) {
            at += found;
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistake(text: &'static str) -> Mistake {
        let files: &'static [(&str, &str)] = Box::leak(Box::new([("s.json", text)]));
        read(&PackFiles::Embedded(files), "s.json").unwrap_err()
    }

    #[test]
    fn what_is_no_schema_is_told_with_its_place() {
        assert_eq!(mistake("{\n  \"type\": \"object\",\n}").line, 3);
        let wrong = mistake("{\n  \"properties\": {\n    \"a\": {\"type\": \"strin\"}\n  }\n}");
        assert_eq!((wrong.line, wrong.column), (3, 11), "{wrong}");
        assert!(mistake("[]").what.contains("object"));
    }

    #[test]
    fn a_schema_leads_nowhere_else() {
        for reference in ["https://example.org/s.json", "file:///etc/passwd", "other.json"] {
            let text = format!("{{\"properties\": {{\"a\": {{\"$ref\": \"{reference}\"}}}}}}");
            assert!(mistake(text.leak()).what.contains("only to parts of itself"), "{reference}");
        }
    }
}
