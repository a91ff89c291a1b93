//! Walks a TOML file and collects every mistake with its place, where a parser would stop at the first.

use std::ops::{Range, RangeInclusive};
use std::path::PathBuf;

use sortie_rules::config::nearest;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::mistake::Mistake;

/// A file under reading.
#[derive(Debug)]
pub(super) struct Reader<'t> {
    file: PathBuf,
    text: &'t str,
    pub(super) mistakes: Vec<Mistake>,
}

/// A table of the file, and where it begins.
#[derive(Debug, Clone)]
pub(super) struct Section<'t> {
    table: &'t DeTable<'t>,
    span: Range<usize>,
}

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct At<T> {
    pub(super) value: T,
    pub(super) span: Range<usize>,
}

impl<'t> Reader<'t> {
    pub(super) fn new(file: PathBuf, text: &'t str) -> Reader<'t> {
        Reader { file, text, mistakes: Vec::new() }
    }

    /// Notes a mistake.
    pub(super) fn mistake(&mut self, span: &Range<usize>, what: impl Into<String>) {
        self.mistakes.push(Mistake::in_text(&self.file, self.text, span.start, what));
    }

    /// Notes every key that is none of these.
    pub(super) fn only(&mut self, section: &Section<'t>, known: &[&str]) {
        for key in section.table.keys() {
            let name = key.get_ref().as_ref();
            if !known.contains(&name) {
                let near = nearest(name, known.iter().copied());
                let remedy = near.map_or_else(
                    || format!("known here are {}", known.join(", ")),
                    |near| format!("did you mean `{near}`?"),
                );
                self.mistake(&key.span(), format!("unknown key `{name}`; {remedy}"));
            }
        }
    }

    /// A text that must be there and not be empty.
    pub(super) fn text(&mut self, section: &Section<'t>, key: &str) -> Option<At<String>> {
        let found = self.text_or_none(section, key);
        if section.get(key).is_none() {
            self.missing::<()>(section, key, "a text");
        }
        found
    }

    /// A text, if it is there.
    pub(super) fn text_or_none(&mut self, section: &Section<'t>, key: &str) -> Option<At<String>> {
        let value = section.get(key)?;
        match value.get_ref() {
            DeValue::String(text) if !text.is_empty() => Some(At { value: text.to_string(), span: value.span() }),
            _ => self.wrong(value, key, "a text that is not empty"),
        }
    }

    /// A truth that must be there.
    pub(super) fn flag(&mut self, section: &Section<'t>, key: &str) -> Option<bool> {
        let Some(value) = section.get(key) else { return self.missing(section, key, "true or false") };
        match value.get_ref() {
            DeValue::Boolean(flag) => Some(*flag),
            _ => self.wrong(value, key, "true or false"),
        }
    }

    /// A number within bounds that must be there.
    pub(super) fn number(&mut self, section: &Section<'t>, key: &str, bounds: RangeInclusive<u32>) -> Option<u32> {
        let what = format!("a whole number from {} to {}", bounds.start(), bounds.end());
        let Some(value) = section.get(key) else { return self.missing(section, key, &what) };
        let number = match value.get_ref() {
            DeValue::Integer(number) => u32::from_str_radix(number.as_str(), number.radix()).ok(),
            _ => None,
        };
        number.filter(|number| bounds.contains(number)).or_else(|| self.wrong(value, key, &what))
    }

    /// A list of texts; empty if it is not there.
    pub(super) fn texts(&mut self, section: &Section<'t>, key: &str) -> Vec<At<String>> {
        let Some(value) = section.get(key) else { return Vec::new() };
        let DeValue::Array(items) = value.get_ref() else {
            return self.wrong(value, key, "a list of texts").unwrap_or_default();
        };
        let mut texts = Vec::with_capacity(items.len());
        for item in items.iter() {
            match item.get_ref() {
                DeValue::String(text) => texts.push(At { value: text.to_string(), span: item.span() }),
                _ => self.mistake(&item.span(), format!("`{key}` is a list of texts")),
            }
        }
        texts
    }

    /// A table, if it is there.
    pub(super) fn section(&mut self, section: &Section<'t>, key: &str) -> Option<Section<'t>> {
        let value = section.get(key)?;
        match value.get_ref() {
            DeValue::Table(table) => Some(Section { table, span: value.span() }),
            _ => self.wrong(value, key, "a table"),
        }
    }

    /// A list of tables; empty if it is not there.
    pub(super) fn sections(&mut self, section: &Section<'t>, key: &str) -> Vec<Section<'t>> {
        let Some(value) = section.get(key) else { return Vec::new() };
        let DeValue::Array(items) = value.get_ref() else {
            return self.wrong(value, key, &format!("a list of tables, each begun by [[{key}]]")).unwrap_or_default();
        };
        let mut sections = Vec::with_capacity(items.len());
        for item in items.iter() {
            match item.get_ref() {
                DeValue::Table(table) => sections.push(Section { table, span: item.span() }),
                _ => self.mistake(&item.span(), format!("`{key}` is a list of tables")),
            }
        }
        sections
    }

    fn missing<T>(&mut self, section: &Section<'t>, key: &str, what: &str) -> Option<T> {
        self.mistake(&section.span, format!("`{key}` is missing; it is {what}"));
        None
    }

    fn wrong<T>(&mut self, value: &Spanned<DeValue<'t>>, key: &str, what: &str) -> Option<T> {
        self.mistake(&value.span(), format!("`{key}` must be {what}"));
        None
    }
}

impl<'t> Section<'t> {
    /// The file itself.
    pub(super) fn whole(table: &'t Spanned<DeTable<'t>>) -> Section<'t> {
        Section { table: table.get_ref(), span: 0..0 }
    }

    /// Where it begins.
    pub(super) fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// All of it, to be read as a whole.
    pub(super) fn value(&self) -> Spanned<DeValue<'t>> {
        Spanned::new(self.span(), DeValue::Table(self.table.clone()))
    }

    /// Its keys and values.
    pub(super) fn entries(&self) -> impl Iterator<Item = (At<String>, &'t Spanned<DeValue<'t>>)> {
        self.table.iter().map(|(key, value)| (At { value: key.get_ref().to_string(), span: key.span() }, value))
    }

    fn get(&self, key: &str) -> Option<&'t Spanned<DeValue<'t>>> {
        self.table.iter().find(|(name, _)| name.get_ref() == key).map(|(_, value)| value)
    }
}
