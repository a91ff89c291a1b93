//! Settings as a tree that serde can read: what a file said, with what variables said laid over it.
//!
//! A variable is only text, and what it means depends on who reads it: `8443` is a port or a name.
//! So it stays text in the tree until serde asks for a number, a truth or a list. Errors remember the
//! key on whose way they arose.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::value::{MapAccessDeserializer, StringDeserializer};
use serde::de::{self, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor};

/// A place in the tree.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    /// A table.
    Table(BTreeMap<String, Node>),
    /// A list.
    List(Vec<Node>),
    /// A value of a file that is neither.
    Value(toml::Value),
    /// What a variable says.
    Text(String),
}

impl From<toml::Value> for Node {
    fn from(value: toml::Value) -> Node {
        match value {
            toml::Value::Table(table) => Node::from(table),
            toml::Value::Array(items) => Node::List(items.into_iter().map(Node::from).collect()),
            other => Node::Value(other),
        }
    }
}

impl From<toml::Table> for Node {
    fn from(table: toml::Table) -> Node {
        Node::Table(table.into_iter().map(|(key, value)| (key, Node::from(value))).collect())
    }
}

impl Node {
    /// Puts a text at a dotted key, making the tables on the way.
    pub(super) fn lay_over(&mut self, key: &[String], text: String) {
        let Some((first, rest)) = key.split_first() else {
            *self = Node::Text(text);
            return;
        };
        if !matches!(self, Node::Table(_)) {
            *self = Node::Table(BTreeMap::new());
        }
        if let Node::Table(table) = self {
            table.entry(first.clone()).or_insert(Node::Table(BTreeMap::new())).lay_over(rest, text);
        }
    }
}

/// Why the tree could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// The keys on the way to it, innermost first.
    pub(super) path: Vec<String>,
    /// What was expected and what was found.
    pub(super) message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
impl std::error::Error for Fault {}
impl de::Error for Fault {
    fn custom<T: fmt::Display>(message: T) -> Fault {
        Fault { path: Vec::new(), message: message.to_string() }
    }
}

macro_rules! numbers {
    ($($method:ident $visit:ident $number:ty, $what:literal;)+) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
            match &self {
                Node::Text(text) => match text.trim().parse::<$number>() {
                    Ok(number) => visitor.$visit(number),
                    Err(_) => Err(de::Error::custom(format_args!("`{text}` is not {}", $what))),
                },
                _ => self.deserialize_any(visitor),
            }
        })+
    };
}

impl<'de> Deserializer<'de> for Node {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self {
            Node::Table(table) => visitor.visit_map(Entries { rest: table.into_iter(), value: None }),
            Node::List(items) => visitor.visit_seq(Items { rest: items.into_iter() }),
            Node::Text(text) => visitor.visit_string(text),
            Node::Value(toml::Value::String(text)) => visitor.visit_string(text),
            Node::Value(toml::Value::Integer(number)) => visitor.visit_i64(number),
            Node::Value(toml::Value::Float(number)) => visitor.visit_f64(number),
            Node::Value(toml::Value::Boolean(truth)) => visitor.visit_bool(truth),
            Node::Value(other) => visitor.visit_string(other.to_string()),
        }
    }

    numbers! {
        deserialize_bool visit_bool bool, "`true` or `false`";
        deserialize_i8 visit_i8 i8, "a whole number from -128 to 127";
        deserialize_i16 visit_i16 i16, "a whole number from -32768 to 32767";
        deserialize_i32 visit_i32 i32, "a whole number of 32 bits";
        deserialize_i64 visit_i64 i64, "a whole number";
        deserialize_u8 visit_u8 u8, "a whole number from 0 to 255";
        deserialize_u16 visit_u16 u16, "a whole number from 0 to 65535";
        deserialize_u32 visit_u32 u32, "a whole number from 0";
        deserialize_u64 visit_u64 u64, "a whole number from 0";
        deserialize_f32 visit_f32 f32, "a number";
        deserialize_f64 visit_f64 f64, "a number";
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    /// A list in a variable is written as in TOML, or simply with commas.
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self {
            Node::Text(text) if text.trim_start().starts_with('[') => as_toml(&text)?.deserialize_any(visitor),
            Node::Text(text) => {
                let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
                Node::List(items.map(|item| Node::Text(item.to_owned())).collect()).deserialize_any(visitor)
            }
            other => other.deserialize_any(visitor),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self {
            Node::Text(text) if text.trim_start().starts_with('{') => as_toml(&text)?.deserialize_any(visitor),
            other => other.deserialize_any(visitor),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match self {
            Node::Text(word) | Node::Value(toml::Value::String(word)) => {
                let word: StringDeserializer<Fault> = word.into_deserializer();
                visitor.visit_enum(word)
            }
            Node::Table(table) => {
                visitor.visit_enum(MapAccessDeserializer::new(Entries { rest: table.into_iter(), value: None }))
            }
            other => other.deserialize_any(visitor),
        }
    }

    serde::forward_to_deserialize_any! {
        char str string bytes byte_buf unit unit_struct tuple tuple_struct identifier ignored_any
    }
}

fn as_toml(text: &str) -> Result<Node, Fault> {
    let table: toml::Table = toml::from_str(&format!("value = {text}"))
        .map_err(|error| Fault { path: Vec::new(), message: error.message().to_owned() })?;
    Ok(table.into_iter().next().map_or(Node::List(Vec::new()), |(_, value)| Node::from(value)))
}

struct Entries {
    rest: std::collections::btree_map::IntoIter<String, Node>,
    value: Option<(String, Node)>,
}

impl<'de> MapAccess<'de> for Entries {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        let Some((key, node)) = self.rest.next() else { return Ok(None) };
        self.value = Some((key.clone(), node));
        let key: StringDeserializer<Fault> = key.into_deserializer();
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        let (key, node) = self.value.take().ok_or_else(|| de::Error::custom("a value was asked for before its key"))?;
        seed.deserialize(node).map_err(|mut fault: Fault| {
            fault.path.push(key);
            fault
        })
    }
}

struct Items {
    rest: std::vec::IntoIter<Node>,
}

impl<'de> SeqAccess<'de> for Items {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Fault> {
        self.rest.next().map(|node| seed.deserialize(node)).transpose()
    }
}
