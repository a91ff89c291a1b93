//! What was asked for, once it was understood.

use std::str::FromStr;

use sortie_rules::outbox::{check_nats_name, check_prefix, filter_of_kind};
use sortie_rules::time::Span;

/// The stream that is wished for. What is not said stays as it is, or is usual.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StreamWish {
    pub(super) name: String,
    pub(super) prefix: String,
    pub(super) max_age: Option<Span>,
    pub(super) max_bytes: Option<u64>,
    pub(super) duplicates_within: Option<Span>,
    pub(super) replicas: Option<u8>,
}

/// A consumer that is wished for. What is not said stays as it is, or is usual.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ConsumerWish {
    pub(super) name: String,
    /// Filters of subjects, or kinds of events; none for all.
    pub(super) filters: Vec<String>,
    pub(super) ack_wait: Option<Span>,
    pub(super) max_deliver: Option<u32>,
    pub(super) only_new: bool,
}

/// `NAME`, or `NAME=FILTER,FILTER`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NamedFilters {
    pub(super) name: String,
    pub(super) filters: Vec<String>,
}

impl FromStr for NamedFilters {
    type Err = String;

    fn from_str(text: &str) -> Result<NamedFilters, String> {
        let (name, filters) = text.split_once('=').unwrap_or((text, ""));
        check_nats_name(name).map_err(|why| format!("`{name}` cannot be a consumer's name: {why}"))?;
        let filters = filters.split(',').map(str::trim).filter(|filter| !filter.is_empty()).map(str::to_owned);
        Ok(NamedFilters { name: name.to_owned(), filters: filters.collect() })
    }
}

/// A stream's name.
pub(super) fn stream_name(text: &str) -> Result<String, String> {
    check_nats_name(text).map(|()| text.to_owned()).map_err(|why| why.to_string())
}

/// What stands before every subject.
pub(super) fn prefix(text: &str) -> Result<String, String> {
    check_prefix(text).map(|()| text.to_owned()).map_err(|why| why.to_string())
}

/// The subjects that are meant: what begins with the prefix is a filter of subjects already.
pub(super) fn subjects(prefix: &str, filters: &[String]) -> Result<Vec<String>, String> {
    if filters.is_empty() {
        return Ok(vec![format!("{prefix}.>")]);
    }
    let under = format!("{prefix}.");
    let subject = |filter: &String| {
        if filter.starts_with(&under) && !filter.contains(char::is_whitespace) {
            return Ok(filter.clone());
        }
        filter_of_kind(prefix, filter).map_err(|why| format!("the filter `{filter}`: {why}"))
    };
    let mut subjects = filters.iter().map(subject).collect::<Result<Vec<_>, _>>()?;
    subjects.sort();
    subjects.dedup();
    Ok(subjects)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_consumer_is_typed_as_its_name_and_what_it_wants() {
        let typed: NamedFilters = "billing=task.completed, node".parse().unwrap();
        assert_eq!((typed.name.as_str(), typed.filters.len()), ("billing", 2));
        assert!("billing".parse::<NamedFilters>().unwrap().filters.is_empty());
        for bad in ["", "=task", "a.b", "a b=task"] {
            assert!(bad.parse::<NamedFilters>().is_err(), "{bad}");
        }
    }

    #[test]
    fn kinds_become_filters_and_filters_stay() {
        let wanted = |filters: &[&str]| subjects("s.e", &filters.iter().map(|f| (*f).to_owned()).collect::<Vec<_>>());
        assert_eq!(wanted(&[]).unwrap(), ["s.e.>"]);
        assert_eq!(wanted(&["task", "s.e.*.node.down.*", "task"]).unwrap(), ["s.e.*.node.down.*", "s.e.*.task.>"]);
        assert!(wanted(&["other.>"]).unwrap_err().contains("`other.>`"));
    }
}
