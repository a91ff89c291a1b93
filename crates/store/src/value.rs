//! The values that go into SQL: text, whole numbers, bytes, and nothing at all.

use sortie_rules::ids::Id;
use sortie_rules::time::{Millis, Span};
use uuid::Uuid;

/// One parameter of a statement. Everything that is stored is one of these: times are
/// milliseconds, yes and no are 1 and 0, ids and JSON are text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value<'a> {
    /// Absent.
    Null,
    /// A whole number.
    Int(i64),
    /// Text.
    Text(&'a str),
    /// Bytes.
    Bytes(&'a [u8]),
    /// An id; stored as its text, which is written where it is bound instead of into a `String`.
    Id(Uuid),
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Value::Int(number)
    }
}
impl From<i32> for Value<'_> {
    fn from(number: i32) -> Self {
        Value::Int(i64::from(number))
    }
}
impl From<u32> for Value<'_> {
    fn from(number: u32) -> Self {
        Value::Int(i64::from(number))
    }
}
impl From<u64> for Value<'_> {
    /// Counters never come near the end of `i64`; one that did would be a bug that must not wrap.
    fn from(number: u64) -> Self {
        Value::Int(i64::try_from(number).expect("a stored number fits 63 bits"))
    }
}
impl From<bool> for Value<'_> {
    fn from(flag: bool) -> Self {
        Value::Int(i64::from(flag))
    }
}
impl From<Millis> for Value<'_> {
    fn from(at: Millis) -> Self {
        Value::Int(at.0)
    }
}
impl From<Span> for Value<'_> {
    fn from(span: Span) -> Self {
        Value::Int(span.0)
    }
}
impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Value::Text(text)
    }
}
impl<'a> From<&'a String> for Value<'a> {
    fn from(text: &'a String) -> Self {
        Value::Text(text)
    }
}
impl<'a> From<&'a [u8]> for Value<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Value::Bytes(bytes)
    }
}
impl<'a> From<&'a Vec<u8>> for Value<'a> {
    fn from(bytes: &'a Vec<u8>) -> Self {
        Value::Bytes(bytes)
    }
}
impl<K> From<Id<K>> for Value<'_> {
    fn from(id: Id<K>) -> Self {
        Value::Id(id.uuid())
    }
}
impl<'a, T: Into<Value<'a>>> From<Option<T>> for Value<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::Null, Into::into)
    }
}
