//! Data that a file holds, and how it is written: the same text for the same data, whoever writes it and whenever.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::yaml;

/// How data is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// JSON, indented by two spaces.
    Json,
    /// YAML, texts in double quotes.
    Yaml,
    /// TOML.
    Toml,
}

/// A value that a format has no form for: where in the data, as a JSON pointer, and why. No value stands in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why} (at {pointer})")]
pub struct Unsayable {
    /// The place; empty for the data as a whole.
    pub pointer: String,
    /// What is wrong there, as a sentence without its full stop.
    pub why: &'static str,
}

impl Unsayable {
    pub(super) fn at(pointer: &str, why: &'static str) -> Unsayable {
        Unsayable { pointer: pointer.to_owned(), why }
    }
}

impl Format {
    /// What a word stands for.
    pub fn parse(word: &str) -> Option<Format> {
        match word {
            "json" => Some(Format::Json),
            "yaml" => Some(Format::Yaml),
            "toml" => Some(Format::Toml),
            _ => None,
        }
    }

    /// The data as text: keys in order, with an end of line as its last character.
    ///
    /// # Errors
    /// The first value that cannot be said.
    pub fn write(self, data: &Value) -> Result<String, Unsayable> {
        match self {
            Format::Json => {
                let text = serde_json::to_string_pretty(&sorted(data));
                text.map(|text| text + "\n").map_err(|_| Unsayable::at("", "this cannot be written as JSON"))
            }
            Format::Yaml => yaml::write(data),
            Format::Toml => match toml_of(data, "")? {
                toml::Value::Table(table) => {
                    let text = toml::to_string(&table);
                    text.map(ended).map_err(|_| Unsayable::at("", "this cannot be written as TOML"))
                }
                _ => Err(Unsayable::at("", "a TOML file is an object as a whole")),
            },
        }
    }
}

/// The pointer to a field of what is at `pointer`.
pub(super) fn field(pointer: &str, name: &str) -> String {
    format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// With the keys of every object in order, whatever kind of map they stand in.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut pairs: Vec<_> = fields.iter().collect();
            pairs.sort_by_key(|(name, _)| *name);
            Value::Object(pairs.into_iter().map(|(name, inner)| (name.clone(), sorted(inner))).collect::<Map<_, _>>())
        }
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        other => other.clone(),
    }
}

fn ended(mut text: String) -> String {
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

fn toml_of(value: &Value, pointer: &str) -> Result<toml::Value, Unsayable> {
    Ok(match value {
        Value::Null => return Err(Unsayable::at(pointer, "TOML has no null")),
        Value::Bool(flag) => toml::Value::Boolean(*flag),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => toml::Value::Integer(whole),
            (None, Some(real)) if number.is_f64() => toml::Value::Float(real),
            _ => return Err(Unsayable::at(pointer, "TOML has no whole number above 9223372036854775807")),
        },
        Value::String(text) => toml::Value::String(text.clone()),
        Value::Array(items) => {
            let item = |(index, item): (usize, &Value)| toml_of(item, &format!("{pointer}/{index}"));
            toml::Value::Array(items.iter().enumerate().map(item).collect::<Result<_, _>>()?)
        }
        Value::Object(fields) => {
            let one = |(name, inner): (&String, &Value)| Ok((name.clone(), toml_of(inner, &field(pointer, name))?));
            toml::Value::Table(fields.iter().map(one).collect::<Result<_, Unsayable>>()?)
        }
    })
}

/// What of a file's spec is written from its data, if it has any; secrets may stand in it opened or as references.
///
/// # Errors
/// What cannot be said, with its place in the spec.
pub fn written(spec: &Map<String, Value>) -> Option<Result<String, Unsayable>> {
    let data = spec.get("data")?;
    let format = spec.get("format").and_then(Value::as_str).and_then(Format::parse);
    let Some(format) = format else {
        return Some(Err(Unsayable::at("/format", "the format of data is json, yaml or toml")));
    };
    let below = |wrong: Unsayable| Unsayable { pointer: format!("/data{}", wrong.pointer), ..wrong };
    Some(format.write(data).map_err(below))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn written_as(format: Format, data: Value) -> String {
        format.write(&data).unwrap()
    }

    #[test]
    fn the_same_data_is_the_same_text() {
        let data = json!({"port": 8080, "name": "box \"7\"", "peers": ["a", "b"], "deep": {"on": true, "share": 0.5}});
        assert_eq!(
            written_as(Format::Toml, data.clone()),
            "name = 'box \"7\"'\npeers = [\"a\", \"b\"]\nport = 8080\n\n[deep]\non = true\nshare = 0.5\n"
        );
        assert_eq!(
            written_as(Format::Yaml, data.clone()),
            "deep:\n  \"on\": true\n  share: 0.5\nname: \"box \\\"7\\\"\"\npeers:\n  - \"a\"\n  - \"b\"\nport: 8080\n"
        );
        assert_eq!(
            written_as(Format::Json, data),
            "{\n  \"deep\": {\n    \"on\": true,\n    \"share\": 0.5\n  },\n  \"name\": \"box \\\"7\\\"\",\n  \
             \"peers\": [\n    \"a\",\n    \"b\"\n  ],\n  \"port\": 8080\n}\n"
        );
        assert_eq!(written_as(Format::Toml, json!({})), "\n");
        assert_eq!(written_as(Format::Yaml, json!({})), "{}\n");
    }

    #[test]
    fn what_a_format_cannot_say_is_told_with_its_place_and_without_its_value() {
        for (data, at) in [
            (json!({"a/b": [1, null]}), "/data/a~1b/1"),
            (json!({"big": u64::MAX}), "/data/big"),
            (json!(["a"]), "/data"),
            (json!("secret"), "/data"),
        ] {
            let Value::Object(spec) = json!({"path": "/x", "data": data, "format": "toml"}) else {
                panic!("an object")
            };
            let wrong = written(&spec).unwrap().unwrap_err();
            assert_eq!(wrong.pointer, at, "{wrong}");
            assert!(!wrong.to_string().contains("secret"));
        }
        let odd = json!({"data": {}, "format": "ini"});
        assert_eq!(written(odd.as_object().unwrap()).unwrap().unwrap_err().pointer, "/format");
        assert_eq!(written(json!({"content": "x"}).as_object().unwrap()), None);
    }
}
