//! From a file's text and the environment to settings.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::{ConfigError, Place};
use super::keys::{filled, is_known};
use super::nearest::nearest;
use super::tree::Node;
use super::twice::{Twice, twice};

/// Reads settings from the text of a file, overlaid by the variables that begin with `prefix`.
///
/// A variable that is empty counts as not set. Whether a variable's text is a number, a list (TOML,
/// or items with commas between them) or a word is decided by the setting that it is for. `known`
/// are the dotted keys that exist, see [`known_keys`](super::known_keys); any other is refused, in
/// the file as in a variable, so that a misspelt limit is never silently without effect.
pub fn load<T: DeserializeOwned>(
    text: &str,
    file_name: &str,
    env: impl Iterator<Item = (String, String)>,
    prefix: &str,
    known: &[&str],
) -> Result<T, ConfigError> {
    let file = |line| Place::File { name: file_name.to_owned(), line };
    let at = |span: Option<Range<usize>>| file(span.map(|span| line_of(text, span.start)));

    let syntax = |error: toml::de::Error| {
        let again = error.span().filter(|_| error.message().starts_with("duplicate key"));
        match again.and_then(|span| twice(text, span.start)) {
            Some(Twice { what, first }) => ConfigError::Twice { place: at(error.span()), what, first },
            None => ConfigError::Syntax { place: at(error.span()), message: error.message().to_owned() },
        }
    };
    let lines = lines_of(&DeTable::parse(text).map_err(syntax)?, text);
    let unknown = lines.iter().filter(|(key, _)| !is_known(key, known)).min_by_key(|(_, line)| **line);
    if let Some((key, line)) = unknown {
        let filled: Vec<String> = known.iter().map(|known| filled(known, key)).collect();
        let key = key.join(".");
        let nearest = nearest(&key, filled.iter().map(String::as_str)).map(str::to_owned);
        return Err(ConfigError::UnknownKey { place: file(Some(*line)), key, nearest });
    }

    let mut tree = Node::from(toml::from_str::<toml::Table>(text).map_err(syntax)?);
    let mut variables = BTreeMap::new();
    for (name, value) in env.filter(|(name, value)| name.starts_with(prefix) && !value.is_empty()) {
        let key: Vec<String> = name[prefix.len()..].to_ascii_lowercase().split("__").map(str::to_owned).collect();
        if !is_known(&key, known) {
            return Err(unknown_variable(name, &key, prefix, known));
        }
        tree.lay_over(&key, value);
        variables.insert(key, name);
    }

    T::deserialize(tree).map_err(|mut fault| {
        fault.path.reverse();
        let (key, message) = (fault.path.join("."), fault.message);
        if let Some(name) = variables.get(&fault.path) {
            ConfigError::BadValue { place: Place::Variable(name.clone()), key, message }
        } else if key.is_empty() {
            ConfigError::Incomplete { place: file(None), message }
        } else {
            ConfigError::BadValue { place: file(lines.get(&fault.path).copied()), key, message }
        }
    })
}

fn unknown_variable(name: String, key: &[String], prefix: &str, known: &[&str]) -> ConfigError {
    let spell = |key: &str| prefix.to_owned() + &key.replace('.', "__").to_ascii_uppercase();
    let nearest = nearest(&key.join("."), known.iter().copied()).map(spell);
    ConfigError::UnknownKey { place: Place::Variable(name.clone()), key: name, nearest }
}

/// The line on which each dotted key of a text stands; nothing if it is not TOML.
pub(super) fn lines_of_keys(text: &str) -> Option<BTreeMap<Vec<String>, usize>> {
    Some(lines_of(&DeTable::parse(text).ok()?, text))
}

fn lines_of(table: &Spanned<DeTable<'_>>, text: &str) -> BTreeMap<Vec<String>, usize> {
    let mut lines = BTreeMap::new();
    find_lines(table.get_ref(), text, &mut Vec::new(), &mut lines);
    lines
}

fn find_lines(table: &DeTable<'_>, text: &str, path: &mut Vec<String>, lines: &mut BTreeMap<Vec<String>, usize>) {
    for (key, value) in table {
        path.push(key.get_ref().clone().into_owned());
        lines.entry(path.clone()).or_insert_with(|| line_of(text, key.span().start));
        match value.get_ref() {
            DeValue::Table(inner) => find_lines(inner, text, path, lines),
            DeValue::Array(items) => {
                for item in items {
                    if let DeValue::Table(inner) = item.get_ref() {
                        find_lines(inner, text, path, lines);
                    }
                }
            }
            _ => {}
        }
        path.pop();
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    text.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count() + 1
}
