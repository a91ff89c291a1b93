//! Whether JSON that was passed on as it came can be read by those it is shown to.
//!
//! JSON by its grammar may be nested without end, hold numbers beyond all bounds and halves of
//! characters. Readers refuse such text, and then the task it belongs to could not be shown any more.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// Whether every part of this JSON can be read. Nothing of it is kept.
pub fn is_readable(json: &RawValue) -> bool {
    serde_json::from_str::<Readable>(json.get()).is_ok()
}

/// Whether every part of it can be read, and in one way only: no object has a key twice. Of two readers one
/// takes the first and another the last, and then what was checked is not what is done.
pub fn is_unambiguous(json: &RawValue) -> bool {
    serde_json::from_str::<Unambiguous>(json.get()).is_ok()
}

struct Unambiguous;

impl<'de> Deserialize<'de> for Unambiguous {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Unambiguous, D::Error> {
        deserializer.deserialize_any(Reader { once: true }).map(|Readable| Unambiguous)
    }
}

struct Readable;

impl<'de> Deserialize<'de> for Readable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Readable, D::Error> {
        deserializer.deserialize_any(Reader { once: false })
    }
}

struct Reader {
    /// Each key may stand in an object once.
    once: bool,
}

impl<'de> Visitor<'de> for Reader {
    type Value = Readable;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }
    fn visit_bool<E>(self, _: bool) -> Result<Readable, E> {
        Ok(Readable)
    }
    fn visit_i64<E>(self, _: i64) -> Result<Readable, E> {
        Ok(Readable)
    }
    fn visit_u64<E>(self, _: u64) -> Result<Readable, E> {
        Ok(Readable)
    }
    fn visit_f64<E>(self, _: f64) -> Result<Readable, E> {
        Ok(Readable)
    }
    fn visit_str<E>(self, _: &str) -> Result<Readable, E> {
        Ok(Readable)
    }
    fn visit_unit<E>(self) -> Result<Readable, E> {
        Ok(Readable)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Readable, A::Error> {
        match self.once {
            true => while items.next_element::<Unambiguous>()?.is_some() {},
            false => while items.next_element::<Readable>()?.is_some() {},
        }
        Ok(Readable)
    }
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Readable, A::Error> {
        if !self.once {
            while entries.next_entry::<Readable, Readable>()?.is_some() {}
            return Ok(Readable);
        }
        let mut keys = BTreeSet::new();
        while let Some(key) = entries.next_key::<String>()? {
            if let Some(twice) = keys.replace(key) {
                return Err(A::Error::custom(format_args!("the key `{twice}` stands twice in one object")));
            }
            entries.next_value::<Unambiguous>()?;
        }
        Ok(Readable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.to_owned()).expect("it is JSON by its grammar")
    }

    #[test]
    fn what_a_reader_takes_is_readable() {
        for text in ["null", "[1, -2, 3.5e300, true]", r#"{"a": {"ü": "\u0000 \ud83d\ude00"}, "": []}"#] {
            assert!(serde_json::from_str::<serde_json::Value>(text).is_ok(), "{text}");
            assert!(is_readable(&raw(text)), "{text}");
        }
    }

    #[test]
    fn what_every_reader_refuses_is_not() {
        let deep = format!("{}{}", "[".repeat(1000), "]".repeat(1000));
        for text in [deep.as_str(), "[1e999]", r#""\ud800""#, r#"{"\udc00": 1}"#] {
            assert!(serde_json::from_str::<serde_json::Value>(text).is_err(), "{text}");
            assert!(!is_readable(&raw(text)), "{text}");
        }
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_ambiguous() {
        for text in [r#"{"a": 1, "b": {"a": 2}}"#, r#"[{"a": 1}, {"a": 1}]"#, "1"] {
            assert!(is_unambiguous(&raw(text)), "{text}");
        }
        for text in [r#"{"a": 1, "a": 1}"#, r#"[{"x": {"a": 1, "b": 0, "\u0061": 2}}]"#, "[1e999]"] {
            assert!(!is_unambiguous(&raw(text)), "{text}");
        }
        assert!(is_readable(&raw(r#"{"a": 1, "a": 1}"#)), "and can be read all the same");
    }
}
