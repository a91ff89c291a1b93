//! Canonical JSON: one text for one value, so that its hash can be told from the value alone. Keys are sorted
//! by their code points, there are no blanks, characters stand for themselves but for `"`, `\` and controls,
//! and there are no fractions: programs do not agree on how to write those.

use serde::ser::{Serialize, SerializeMap as _, SerializeSeq as _, Serializer};
use serde_json::Value;

/// The canonical text of a value. Fractions become their text.
pub fn canonical(value: &Value) -> String {
    // Writing a value to a string cannot fail: its keys are strings.
    serde_json::to_string(&Canonical(value)).unwrap_or_default()
}

/// A value that is written canonically wherever it is serialized to JSON.
#[derive(Debug, Clone, Copy)]
pub struct Canonical<'v>(pub &'v Value);

impl Serialize for Canonical<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Object(map) => {
                let mut entries: Vec<_> = map.iter().collect();
                entries.sort_unstable_by_key(|(key, _)| *key);
                let mut object = serializer.serialize_map(Some(entries.len()))?;
                for (key, value) in entries {
                    object.serialize_entry(key, &Canonical(value))?;
                }
                object.end()
            }
            Value::Array(items) => {
                let mut array = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    array.serialize_element(&Canonical(item))?;
                }
                array.end()
            }
            Value::Number(number) if number.is_f64() => serializer.collect_str(number),
            other => other.serialize(serializer),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_are_sorted_blanks_are_gone_and_fractions_are_text() {
        let inner = json!({ "ü": "\u{1}\"\\ ä\u{7f}", "": 18_446_744_073_709_551_615u64 });
        let value = json!({ "b": [1, -2, 2.5, null, true], "a": inner });
        let text = r#"{"a":{"":18446744073709551615,"ü":"\u0001\"\\ ä"#.to_owned()
            + "\u{7f}"
            + r#""},"b":[1,-2,"2.5",null,true]}"#;
        assert_eq!(canonical(&value), text);
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            ".{0,8}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 20, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::btree_map(".{0,4}", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_was_written_canonically_is_written_so_again(value in any_value()) {
            let text = canonical(&value);
            let read: Value = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(canonical(&read), text);
        }
    }
}
