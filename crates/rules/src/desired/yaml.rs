//! Writes data as YAML that every reader of 1.1 and of 1.2 reads alike: blocks, texts always in double quotes, and keys
//! too unless they are plain words.

use std::fmt::Write as _;

use serde_json::{Map, Number, Value};

use super::data::{Unsayable, field};

/// Longest key that YAML reads before a colon on one line, in characters.
const KEY_CHARACTERS_MAX: usize = 1000;
/// The key that stands for a merge to readers of 1.1.
const MERGED: &str = "<<";
/// Words that some readers take for something else than a text.
const NOT_PLAIN: [&str; 9] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];

/// The data as text, with an end of line as its last character.
pub(super) fn write(data: &Value) -> Result<String, Unsayable> {
    let mut text = String::new();
    match data {
        Value::Object(fields) if !fields.is_empty() => write_fields(&mut text, fields, 0, false, "")?,
        Value::Array(items) if !items.is_empty() => write_items(&mut text, items, 0, false, "")?,
        flat => {
            text.push_str(&scalar(flat));
            text.push('\n');
        }
    }
    Ok(text)
}

/// Each field on a line of its own; `goes_on` if the first stands on a line that has begun.
fn write_fields(
    text: &mut String,
    fields: &Map<String, Value>,
    depth: usize,
    goes_on: bool,
    pointer: &str,
) -> Result<(), Unsayable> {
    let mut sorted: Vec<_> = fields.iter().collect();
    sorted.sort_by_key(|(name, _)| *name);
    for (index, (name, value)) in sorted.into_iter().enumerate() {
        let at = field(pointer, name);
        if index > 0 || !goes_on {
            indent(text, depth);
        }
        // Ruby's reader merges an object that stands under it, though the key is quoted.
        if name == MERGED {
            return Err(Unsayable::at(&at, "some readers of YAML merge what stands under the key `<<`"));
        }
        let key = key(name);
        if key.chars().count() > KEY_CHARACTERS_MAX {
            return Err(Unsayable::at(&at, "a key of YAML has at most 1000 characters"));
        }
        text.push_str(&key);
        text.push(':');
        match value {
            Value::Object(inner) if !inner.is_empty() => {
                text.push('\n');
                write_fields(text, inner, depth + 1, false, &at)?;
            }
            Value::Array(items) if !items.is_empty() => {
                text.push('\n');
                write_items(text, items, depth + 1, false, &at)?;
            }
            flat => {
                text.push(' ');
                text.push_str(&scalar(flat));
                text.push('\n');
            }
        }
    }
    Ok(())
}

fn write_items(
    text: &mut String,
    items: &[Value],
    depth: usize,
    goes_on: bool,
    pointer: &str,
) -> Result<(), Unsayable> {
    for (index, item) in items.iter().enumerate() {
        let at = format!("{pointer}/{index}");
        if index > 0 || !goes_on {
            indent(text, depth);
        }
        text.push_str("- ");
        match item {
            Value::Object(inner) if !inner.is_empty() => write_fields(text, inner, depth + 1, true, &at)?,
            Value::Array(inner) if !inner.is_empty() => write_items(text, inner, depth + 1, true, &at)?,
            flat => {
                text.push_str(&scalar(flat));
                text.push('\n');
            }
        }
    }
    Ok(())
}

fn indent(text: &mut String, depth: usize) {
    (0..depth).for_each(|_| text.push_str("  "));
}

fn scalar(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number_text(number),
        Value::String(text) => quoted(text),
        Value::Array(_) => "[]".to_owned(),
        Value::Object(_) => "{}".to_owned(),
    }
}

/// Readers of 1.1 take `1e100` for a text; `1.0e+100` is a number to all.
fn number_text(number: &Number) -> String {
    let text = number.to_string();
    let Some((mantissa, exponent)) = text.split_once(['e', 'E']) else { return text };
    let point = if mantissa.contains('.') { "" } else { ".0" };
    let sign = if exponent.starts_with(['-', '+']) { "" } else { "+" };
    format!("{mantissa}{point}e{sign}{exponent}")
}

fn key(name: &str) -> String {
    let is_word = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
        && name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    if is_word && !NOT_PLAIN.contains(&name.to_ascii_lowercase().as_str()) { name.to_owned() } else { quoted(name) }
}

fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            // What a reader need not take as it is: controls, ends of lines of other worlds, marks of byte order.
            '\u{0}'..='\u{1F}'
            | '\u{7F}'..='\u{9F}'
            | '\u{2028}'
            | '\u{2029}'
            | '\u{FEFF}'
            | '\u{FFFE}'
            | '\u{FFFF}' => {
                write!(quoted, "\\u{:04X}", u32::from(character)).expect("a String can be written");
            }
            plain => quoted.push(plain),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn lists_of_objects_and_lists_of_lists_stand_in_blocks() {
        let data = json!({"users": [{"name": "a", "tags": []}, [[1], {}], null], "on": "no", "x y": {}});
        let expected = "\"on\": \"no\"\nusers:\n  - name: \"a\"\n    tags: []\n  - - - 1\n    - {}\n  - null\n\
                        \"x y\": {}\n";
        assert_eq!(write(&data).unwrap(), expected);
    }

    #[test]
    fn texts_are_told_from_everything_else_by_their_quotes() {
        assert_eq!(write(&json!("yes: [\u{1}\u{2028}\n")).unwrap(), "\"yes: [\\u0001\\u2028\\n\"\n");
        assert_eq!(write(&json!([1e100, 1.5e-7, 7, -0.5])).unwrap(), "- 1.0e+100\n- 1.5e-7\n- 7\n- -0.5\n");
        let long = "k".repeat(KEY_CHARACTERS_MAX + 1);
        assert_eq!(write(&json!({"a": { long.as_str(): 1 }})).unwrap_err().pointer, format!("/a/{long}"));
    }

    #[test]
    fn a_key_that_some_readers_merge_is_refused_with_its_place() {
        for (data, at) in [
            (json!({"<<": {"x": 1}}), "/<<"),
            (json!({"a": {"<<": "x"}}), "/a/<<"),
            (json!({"a": [1, {"b": 1, "<<": []}]}), "/a/1/<<"),
        ] {
            let wrong = write(&data).unwrap_err();
            assert_eq!(wrong.pointer, at);
            assert!(wrong.why.contains("merge"), "{wrong}");
        }
        assert_eq!(write(&json!({"<<<": "<<"})).unwrap(), "\"<<<\": \"<<\"\n");
    }
}
