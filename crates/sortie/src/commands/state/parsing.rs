//! Reads back what a file holds as data: what `sortie state pull` takes over of a file that is written from data. The
//! text comes from a node, so nothing in it is believed: it is read without recursion, and what stands for something
//! else (an alias, a reference to a secret) is refused.

use serde_json::{Map, Number, Value};
use sortie_rules::desired::{Format, SEALED, SECRET};
use yaml_rust2::Yaml;
use yaml_rust2::parser::{Event, Parser};
use yaml_rust2::scanner::{ScanError, TScalarStyle};

/// Deepest that lists and objects may stand in each other.
const DEPTH_MAX: usize = 100;

/// The data that a file holds, if a layer can say it.
///
/// # Errors
/// Why not, as a sentence without its full stop.
pub(super) fn parse(text: &str, format: Format) -> Result<Value, String> {
    let data = match format {
        Format::Json => serde_json::from_str(text).map_err(|error| format!("it is no JSON any more: {error}"))?,
        Format::Yaml => yaml(text)?,
        Format::Toml => {
            let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
                format!("it is no TOML any more: {}", error.message().lines().next().unwrap_or_default())
            })?;
            from_toml(toml::Value::Table(table))?
        }
    };
    can_be_meant(&data, "")?;
    Ok(data)
}

/// Whether a layer that says this gives just this to a node.
fn can_be_meant(data: &Value, at: &str) -> Result<(), String> {
    match data {
        Value::Null => Err(format!("there is a null at `{at}`, and in a layer that takes the field away")),
        Value::Object(fields) => fields.iter().try_for_each(|(name, value)| {
            is_no_reference(name, at)?;
            can_be_meant(value, &format!("{at}/{name}"))
        }),
        // A list is taken as it is, with what is in it.
        Value::Array(items) => items.iter().try_for_each(|item| has_no_reference(item, at)),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
    }
}

fn has_no_reference(data: &Value, at: &str) -> Result<(), String> {
    match data {
        Value::Object(fields) => fields.iter().try_for_each(|(name, value)| {
            is_no_reference(name, at)?;
            has_no_reference(value, at)
        }),
        Value::Array(items) => items.iter().try_for_each(|item| has_no_reference(item, at)),
        _ => Ok(()),
    }
}

fn is_no_reference(name: &str, at: &str) -> Result<(), String> {
    if name == SECRET || name == SEALED {
        return Err(format!("there is a field `{name}` at `{at}`, which in a layer refers to a secret"));
    }
    Ok(())
}

fn from_toml(value: toml::Value) -> Result<Value, String> {
    Ok(match value {
        toml::Value::String(text) => Value::String(text),
        toml::Value::Integer(whole) => Value::from(whole),
        toml::Value::Float(real) => number(real)?,
        toml::Value::Boolean(flag) => Value::Bool(flag),
        toml::Value::Datetime(_) => return Err("there is a date in it, which data has none of".to_owned()),
        toml::Value::Array(items) => Value::Array(items.into_iter().map(from_toml).collect::<Result<_, _>>()?),
        toml::Value::Table(fields) => {
            let one = |(name, inner)| Ok((name, from_toml(inner)?));
            Value::Object(fields.into_iter().map(one).collect::<Result<_, String>>()?)
        }
    })
}

fn number(real: f64) -> Result<Value, String> {
    let number = Number::from_f64(real).map(Value::Number);
    number.ok_or_else(|| "there is a number in it that data has none of (infinite, or none)".to_owned())
}

/// A list or an object that has begun.
enum Open {
    List(Vec<Value>),
    Fields(Map<String, Value>, Option<String>),
}

fn yaml(text: &str) -> Result<Value, String> {
    let mut parser = Parser::new_from_str(text);
    let mut open: Vec<Open> = Vec::new();
    let mut whole = None;
    loop {
        let (event, _) = parser.next_token().map_err(|error: ScanError| {
            format!("it is no YAML any more: {} in line {}", error.info(), error.marker().line())
        })?;
        let done = match event {
            Event::StreamEnd => return whole.ok_or_else(|| "it is empty".to_owned()),
            Event::DocumentStart if whole.is_some() => return Err("it holds several documents".to_owned()),
            Event::Nothing | Event::StreamStart | Event::DocumentStart | Event::DocumentEnd => continue,
            Event::Alias(_) => return Err("there is an alias in it, which data has none of".to_owned()),
            Event::SequenceStart(..) | Event::MappingStart(..) if open.len() == DEPTH_MAX => {
                return Err(format!("it is more than {DEPTH_MAX} lists and objects deep"));
            }
            Event::SequenceStart(..) => {
                open.push(Open::List(Vec::new()));
                continue;
            }
            Event::MappingStart(..) => {
                open.push(Open::Fields(Map::new(), None));
                continue;
            }
            Event::Scalar(_, _, _, Some(_)) => return Err("there is a tag in it, which data has none of".to_owned()),
            Event::Scalar(text, style, _, None) => match open.last_mut() {
                Some(Open::Fields(fields, name @ None)) => {
                    if fields.contains_key(&text) {
                        return Err(format!("the field `{text}` stands in it twice"));
                    }
                    *name = Some(text);
                    continue;
                }
                _ => scalar(text, style)?,
            },
            Event::SequenceEnd | Event::MappingEnd => match open.pop() {
                Some(Open::List(items)) => Value::Array(items),
                Some(Open::Fields(fields, _)) => Value::Object(fields),
                None => return Err("it is no YAML any more".to_owned()),
            },
        };
        match open.last_mut() {
            None => whole = Some(done),
            Some(Open::List(items)) => items.push(done),
            Some(Open::Fields(fields, name)) => {
                let name = name.take().ok_or_else(|| "there is a key in it that is no text".to_owned())?;
                fields.insert(name, done);
            }
        }
    }
}

fn scalar(text: String, style: TScalarStyle) -> Result<Value, String> {
    if style != TScalarStyle::Plain {
        return Ok(Value::String(text));
    }
    Ok(match Yaml::from_str(&text) {
        Yaml::Null => Value::Null,
        Yaml::Boolean(flag) => Value::Bool(flag),
        Yaml::Integer(whole) => Value::from(whole),
        // Beyond the largest whole number that the reader knows.
        Yaml::Real(text) => match text.parse::<u64>() {
            Ok(whole) => Value::from(whole),
            Err(_) => number(text.parse().unwrap_or(f64::NAN))?,
        },
        _ => Value::String(text),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_written_is_read_back() {
        let data = json!({
            "name": "box \"7\"\n\u{1}\u{2028}é", "on": "no", "port": 8080, "share": 0.5, "huge": 1e100, "true": true,
            "deep": {"x y": [1, -2, [], {}, [["a"], {"b": ["c"]}]], "empty": {}, "": "", "1": "~", "n": "0x1F"},
            "users": [{"name": "a", "tags": ["#", ": ", "- x"]}, {"name": "b"}],
        });
        for format in [Format::Json, Format::Yaml, Format::Toml] {
            let text = format.write(&data).unwrap();
            assert_eq!(parse(&text, format).as_ref(), Ok(&data), "{text}");
            assert!(text.ends_with('\n'));
        }
        let large = json!({"most": u64::MAX, "list": [null, {"x": null}]});
        for format in [Format::Json, Format::Yaml] {
            assert_eq!(parse(&format.write(&large).unwrap(), format).as_ref(), Ok(&large));
        }
    }

    #[test]
    fn what_people_write_by_hand_is_read_and_what_stands_for_something_else_is_refused() {
        let by_hand = "# ours\nname: box-7\npeers: [a, 'b', 3]\nmore:\n  on: yes\n  text: |\n    two\n    lines\n";
        let expected = json!({"name": "box-7", "peers": ["a", "b", 3], "more": {"on": "yes", "text": "two\nlines\n"}});
        assert_eq!(parse(by_hand, Format::Yaml), Ok(expected));
        for (text, format, why) in [
            ("a: &x 1\nb: *x", Format::Yaml, "alias"),
            ("a: !!binary x", Format::Yaml, "tag"),
            ("a: 1\na: 2", Format::Yaml, "twice"),
            ("[a]: 1", Format::Yaml, "no text"),
            ("a: 1\n---\nb: 1", Format::Yaml, "several documents"),
            ("a: [", Format::Yaml, "no YAML any more"),
            ("", Format::Yaml, "empty"),
            ("a: .inf", Format::Yaml, "infinite"),
            ("a:\n  b: null", Format::Yaml, "a null at `/a/b`"),
            ("a: {$secret: other}", Format::Yaml, "refers to a secret"),
            ("{\"a\": [{\"$secret\": \"other\"}]}", Format::Json, "refers to a secret"),
            ("{\"a\": ", Format::Json, "no JSON any more"),
            ("a = 2026-01-01", Format::Toml, "a date"),
            ("a = ", Format::Toml, "no TOML any more"),
        ] {
            let refusal = parse(text, format).unwrap_err();
            assert!(refusal.contains(why), "{text}: {refusal}");
        }
        for (begin, end) in [("[", "]"), ("- ", "1")] {
            let deep = format!("{}{}", begin.repeat(150), end.repeat(150));
            assert!(parse(&deep, Format::Yaml).unwrap_err().contains("deep"), "{deep}");
            // The reader has a limit of its own, beyond ours.
            assert!(parse(&begin.repeat(30_000), Format::Yaml).is_err());
        }
    }
}
