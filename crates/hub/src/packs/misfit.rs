//! Why a spec does not fit the schema of its kind, in words for whoever wrote it: what was given, what may stand there,
//! and what the schema says of the place.

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind as Kind;
use serde_json::Value;
use sortie_rules::config::nearest;
use sortie_rules::desired::SECRET;

/// How much of a given text is shown, in characters.
const GIVEN_CHARS_MAX: usize = 60;
/// How much is shown of what may stand somewhere, and of what the schema says of it, in characters.
const ALLOWED_CHARS_MAX: usize = 300;

/// What is wrong, as a sentence without its full stop. `given` is what stands there, if that may be told.
pub(super) fn in_words(error: &ValidationError<'_>, schema: &Value, given: Option<&Value>) -> String {
    let path = error.schema_path().as_str();
    let holder = path.rsplit_once('/').and_then(|(holder, _)| schema.pointer(holder)).unwrap_or(&Value::Null);
    let shown = given.map_or_else(|| "what stands there".to_owned(), shown);
    let (what, about) = match error.kind() {
        Kind::Enum { options } => (format!("{shown} is none of {}", listed(options)), holder),
        Kind::Constant { expected_value } => (format!("{shown} is not {expected_value}"), holder),
        Kind::Required { property } => {
            let name = word(property);
            (format!("`{name}` is missing"), &holder["properties"][name])
        }
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            (no_field(unexpected, holder), &Value::Null)
        }
        Kind::Not { schema } => (not_so(&shown, schema), holder),
        _ => (error.masked_with(shown).to_string(), holder),
    };
    let what = cut(&what, 2 * ALLOWED_CHARS_MAX);
    // The schema as a whole says what the kind is, which whoever writes a resource of it knows.
    match about["description"].as_str().filter(|_| !std::ptr::eq(about, schema)) {
        Some(description) => format!("{what} ({})", cut(description.trim_end_matches('.'), ALLOWED_CHARS_MAX)),
        None => what,
    }
}

/// A given value as it is shown: never more than one short line.
fn shown(given: &Value) -> String {
    match given {
        Value::String(text) => Value::String(cut(text, GIVEN_CHARS_MAX)).to_string(),
        Value::Object(fields) if fields.contains_key(SECRET) => "a reference to a secret".to_owned(),
        Value::Object(_) => "this object".to_owned(),
        Value::Array(_) => "this list".to_owned(),
        plain => plain.to_string(),
    }
}

fn listed(options: &Value) -> String {
    let words: Vec<String> = options.as_array().into_iter().flatten().map(ToString::to_string).collect();
    cut(&words.join(", "), ALLOWED_CHARS_MAX)
}

fn no_field(unexpected: &[String], holder: &Value) -> String {
    let properties = holder["properties"].as_object().into_iter().flatten();
    let known: Vec<&str> = properties.map(|(name, _)| name.as_str()).collect();
    let name = unexpected.first().map(String::as_str).unwrap_or_default();
    let there_are = match nearest(name, known.iter().copied()) {
        Some(near) => format!("; did you mean `{near}`?"),
        None if known.is_empty() => String::new(),
        None => format!("; there are {}", known.join(", ")),
    };
    format!("there is no field `{}`{there_are}", cut(name, GIVEN_CHARS_MAX))
}

/// What must not be, in words where the schema says it in one of the usual ways.
fn not_so(shown: &str, schema: &Value) -> String {
    if let Some(pattern) = schema.get("pattern") {
        return format!("{shown} must not match {pattern}");
    }
    let required = schema["required"].as_array().into_iter().flatten();
    let names: Vec<String> = required.map(|name| format!("`{}`", word(name))).collect();
    match names.as_slice() {
        [] => format!("{shown} must not be as {schema} says"),
        [one] => format!("{one} has no place here"),
        several => format!("{} do not go together", several.join(" and ")),
    }
}

fn word(name: &Value) -> &str {
    name.as_str().unwrap_or_default()
}

/// The beginning of a text, without what a terminal would obey.
fn cut(text: &str, most: usize) -> String {
    let mut letters = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter });
    let mut cut: String = letters.by_ref().take(most).collect();
    if letters.next().is_some() {
        cut.push('…');
    }
    cut
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn told(schema: Value, value: Value) -> String {
        let validator = jsonschema::validator_for(&schema).unwrap();
        let error = validator.iter_errors(&value).next().expect("it does not fit");
        let given = value.pointer(error.instance_path().as_str()).cloned();
        in_words(&error, &schema, given.as_ref())
    }

    #[test]
    fn what_was_given_what_may_stand_there_and_what_it_is_for_are_told() {
        let schema = || {
            json!({
                "description": "A kind.", "additionalProperties": false, "required": ["path"],
                "properties": {
                    "path": {"type": "string", "pattern": "^/", "not": {"pattern": "/\\.\\."}, "description": "Where."},
                    "use": {"enum": ["data", "backup", "none"], "description": "What it is for."},
                    "many": {"items": {"enum": (0..300).collect::<Vec<_>>()}},
                    "other": {"$ref": "#/$defs/number"},
                },
                "not": {"required": ["use", "many"]},
                "$defs": {"number": {"type": "integer", "description": "How many."}},
            })
        };
        for (value, said) in [
            (json!({"path": "etc"}), r#""etc" does not match "^/" (Where)"#),
            (json!({"path": "/a/.."}), r#""/a/.." must not match "/\\.\\." (Where)"#),
            (json!({"path": 7}), r#"7 is not of type "string" (Where)"#),
            (json!({"path": {"$secret": "x"}}), r#"a reference to a secret is not of type "string" (Where)"#),
            (json!({"path": "/", "use": "dat"}), r#""dat" is none of "data", "backup", "none" (What it is for)"#),
            (json!({"path": "/", "other": "3"}), r#""3" is not of type "integer" (How many)"#),
            (json!({}), "`path` is missing (Where)"),
            (json!({"path": "/", "usee": 1}), "there is no field `usee`; did you mean `use`?"),
            (json!({"path": "/", "zzzzzzzz": 1}), "there is no field `zzzzzzzz`; there are many, other, path, use"),
            (json!({"path": "/", "use": "data", "many": []}), "`use` and `many` do not go together"),
        ] {
            assert_eq!(told(schema(), value), said);
        }
        let long = told(schema(), json!({"path": "/", "many": ["x\u{1b}\u{9b}".repeat(1000)]}));
        assert!(long.chars().count() < 500 && !long.contains(char::is_control), "{long}");
    }

    #[test]
    fn what_is_not_to_be_told_is_not() {
        let schema = json!({"properties": {"key": {"type": "string", "pattern": "^k"}}});
        let validator = jsonschema::validator_for(&schema).unwrap();
        let value = json!({"key": "hunter22"});
        let said = in_words(&validator.iter_errors(&value).next().unwrap(), &schema, None);
        assert_eq!(said, r#"what stands there does not match "^k""#);
    }
}
