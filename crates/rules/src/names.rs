//! Which names things may have.

use crate::limits::{LABEL_VALUE_BYTES_MAX, LABELS_MAX, NAME_BYTES_MAX};
use std::collections::BTreeMap;

/// A name that cannot be used, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` cannot be {} {what}: {why}", article(.what))]
pub struct BadName {
    what: &'static str,
    name: String,
    why: &'static str,
}

fn article(what: &str) -> &'static str {
    if what.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" }
}

fn refuse(what: &'static str, name: &str, why: &'static str) -> BadName {
    BadName { what, name: name.chars().take(80).collect(), why }
}

/// Node names, site keys and label keys: like host names, so that they can stand in URLs, logs
/// and shells without quoting. Node names that look like ids are refused, since commands take either.
pub fn check_name(what: &'static str, name: &str) -> Result<(), BadName> {
    if name.is_empty() {
        return Err(refuse(what, name, "it is empty"));
    }
    if name.len() > NAME_BYTES_MAX {
        return Err(refuse(what, name, "it is longer than 63 bytes"));
    }
    if !name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.".contains(&b)) {
        return Err(refuse(what, name, "only a-z, 0-9, `-`, `_` and `.` are allowed"));
    }
    let ends = |b: Option<&u8>| b.is_some_and(u8::is_ascii_alphanumeric);
    if !ends(name.as_bytes().first()) || !ends(name.as_bytes().last()) {
        return Err(refuse(what, name, "it must begin and end with a letter or a digit"));
    }
    if uuid::Uuid::try_parse(name).is_ok() {
        return Err(refuse(what, name, "it looks like an id"));
    }
    Ok(())
}

/// Names of task types, such as `sys.info` or `COHORT_QUERY` (F-7 writes them in capitals).
pub fn check_type_name(name: &str) -> Result<(), BadName> {
    check_name("task type", &name.to_ascii_lowercase())
}

/// A node's labels: keys are names, values are any text without control characters.
pub fn check_labels(labels: &BTreeMap<String, String>) -> Result<(), BadName> {
    if labels.len() > LABELS_MAX {
        return Err(refuse("set of labels", &format!("{} labels", labels.len()), "at most 64 are allowed"));
    }
    for (key, value) in labels {
        check_name("label key", key)?;
        if value.len() > LABEL_VALUE_BYTES_MAX {
            return Err(refuse("label value", value, "it is longer than 255 bytes"));
        }
        if value.chars().any(char::is_control) {
            return Err(refuse("label value", value, "it has control characters"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_like_host_names_are_taken() {
        for name in ["site-a", "a", "box.42", "gpu_07"] {
            assert_eq!(check_name("node name", name), Ok(()));
        }
        assert_eq!(check_type_name("COHORT_QUERY"), Ok(()));
    }

    #[test]
    fn other_names_are_refused_with_a_reason() {
        let long = "x".repeat(64);
        for (name, reason) in [
            ("", "empty"),
            (long.as_str(), "63 bytes"),
            ("Trust A", "only a-z"),
            ("-a", "begin and end"),
            ("../etc", "only a-z"),
            ("01980c5e-7d1a-7c3e-9b7e-0123456789ab", "looks like an id"),
        ] {
            let why = check_name("node name", name).unwrap_err().to_string();
            assert!(why.contains(reason), "{name}: {why}");
        }
    }

    #[test]
    fn labels_are_bounded() {
        let one = |k: &str, v: &str| BTreeMap::from([(k.to_owned(), v.to_owned())]);
        assert_eq!(check_labels(&one("ring", "first wave")), Ok(()));
        assert!(check_labels(&one("Ring", "x")).is_err());
        assert!(check_labels(&one("ring", &"v".repeat(256))).is_err());
        assert!(check_labels(&one("ring", "a\nb")).is_err());
        assert!(check_labels(&(0..65).map(|i| (format!("k{i}"), String::new())).collect()).is_err());
    }
}
