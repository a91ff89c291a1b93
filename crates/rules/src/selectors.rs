//! Which nodes a request is about: by label, site, kind and name, all of which must hold.

use std::collections::BTreeMap;

/// A selector, ready to judge.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selector {
    /// What labels must be like.
    pub labels: Vec<LabelTerm>,
    /// The site that a node must be at.
    pub site: Option<String>,
    /// The kind that a node must be of.
    pub kind: Option<String>,
    /// The names of which a node must have one; any if empty.
    pub names: Vec<String>,
    /// Every node is meant. Without this, a selector that says nothing means none.
    pub all: bool,
}

/// What one label must be like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LabelTerm {
    /// `key=value`.
    Is(String, String),
    /// `key!=value`: another value, or no such label.
    IsNot(String, String),
    /// `key`.
    Has(String),
    /// `!key`.
    HasNot(String),
}

/// What of a node a selector looks at.
#[derive(Debug, Clone, Copy)]
pub struct Selected<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its site.
    pub site: Option<&'a str>,
    /// Its kind.
    pub kind: &'a str,
    /// Its labels.
    pub labels: &'a BTreeMap<String, String>,
}

/// A selector on labels that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{term}` (at character {at}) is none of key=value, key!=value, key, !key")]
pub struct Unreadable {
    /// The part that cannot be read.
    pub term: String,
    /// Where it begins, counted from 1.
    pub at: usize,
}

/// Reads terms with commas between them: `zone=north,role!=db,gpu,!trial`.
pub fn parse_labels(text: &str) -> Result<Vec<LabelTerm>, Unreadable> {
    let mut at = 1;
    let mut terms = Vec::new();
    for part in text.split(',') {
        let term = part.trim();
        if !term.is_empty() {
            let unreadable = || Unreadable { term: term.chars().take(80).collect(), at };
            terms.push(parse_term(term).ok_or_else(unreadable)?);
        }
        at += part.chars().count() + 1;
    }
    Ok(terms)
}

fn parse_term(term: &str) -> Option<LabelTerm> {
    let is_key = |key: &str| !key.is_empty() && !key.contains(|c: char| "=!,".contains(c) || c.is_whitespace());
    let (key, value) = match term.split_once('=') {
        None => {
            let (key, is_absent) = term.strip_prefix('!').map_or((term, false), |key| (key, true));
            let term = if is_absent { LabelTerm::HasNot } else { LabelTerm::Has };
            return is_key(key).then(|| term(key.to_owned()));
        }
        Some(parts) => parts,
    };
    let (key, term): (_, fn(String, String) -> LabelTerm) = match key.strip_suffix('!') {
        Some(key) => (key, LabelTerm::IsNot),
        None => (key, LabelTerm::Is),
    };
    is_key(key).then(|| term(key.to_owned(), value.to_owned()))
}

impl LabelTerm {
    /// Whether it holds.
    pub fn holds(&self, labels: &BTreeMap<String, String>) -> bool {
        match self {
            LabelTerm::Is(key, value) => labels.get(key) == Some(value),
            LabelTerm::IsNot(key, value) => labels.get(key) != Some(value),
            LabelTerm::Has(key) => labels.contains_key(key),
            LabelTerm::HasNot(key) => !labels.contains_key(key),
        }
    }
}

impl Selector {
    /// Whether it says nothing at all: it then means no node, so that a slip does not mean all of them.
    pub fn is_empty(&self) -> bool {
        !self.all && self.labels.is_empty() && self.site.is_none() && self.kind.is_none() && self.names.is_empty()
    }

    /// Whether a node is meant.
    pub fn matches(&self, node: Selected<'_>) -> bool {
        !self.is_empty()
            && self.labels.iter().all(|term| term.holds(node.labels))
            && self.site.as_deref().is_none_or(|site| node.site == Some(site))
            && self.kind.as_deref().is_none_or(|kind| node.kind == kind)
            && (self.names.is_empty() || self.names.iter().any(|name| name == node.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn terms_are_read_and_hold() {
        let terms = parse_labels("zone=north, role!=db,gpu,!trial,empty=").unwrap();
        let is = |key: &str, value: &str| LabelTerm::Is(key.into(), value.into());
        assert_eq!(
            terms,
            [
                is("zone", "north"),
                LabelTerm::IsNot("role".into(), "db".into()),
                LabelTerm::Has("gpu".into()),
                LabelTerm::HasNot("trial".into()),
                is("empty", ""),
            ]
        );
        let node = labels(&[("zone", "north"), ("gpu", "2"), ("empty", "")]);
        assert!(terms.iter().all(|term| term.holds(&node)));
        let other = labels(&[("zone", "south"), ("role", "db"), ("trial", "")]);
        assert!(!terms.iter().any(|term| term.holds(&other)));
        assert_eq!(parse_labels(" , ").unwrap(), []);
    }

    #[test]
    fn what_cannot_be_read_is_named_with_its_place() {
        for (text, term, at) in [
            ("a=1,=x", "=x", 5),
            ("!", "!", 1),
            ("a=1, !b=2", "!b=2", 5),
            ("two words=1", "two words=1", 1),
            ("ä=1,!!x", "!!x", 5),
        ] {
            assert_eq!(parse_labels(text), Err(Unreadable { term: term.into(), at }), "{text}");
        }
    }

    #[test]
    fn everything_that_is_said_must_hold_and_nothing_said_means_nobody() {
        let map = labels(&[("zone", "north")]);
        let node = Selected { name: "box-1", site: Some("homes"), kind: "host", labels: &map };
        let whole = Selector {
            labels: parse_labels("zone=north").unwrap(),
            site: Some("homes".into()),
            kind: Some("host".into()),
            names: vec!["box-2".into(), "box-1".into()],
            all: false,
        };
        assert!(whole.matches(node));
        assert!(!Selector { site: Some("trusts".into()), ..whole.clone() }.matches(node));
        assert!(!Selector { kind: Some("guest".into()), ..whole.clone() }.matches(node));
        assert!(!Selector { names: vec!["box-2".into()], ..whole.clone() }.matches(node));
        assert!(!Selector { labels: parse_labels("!zone").unwrap(), ..whole }.matches(node));
        assert!(!Selector::default().matches(node) && Selector::default().is_empty());
        assert!(Selector { all: true, ..Selector::default() }.matches(node));
    }
}
