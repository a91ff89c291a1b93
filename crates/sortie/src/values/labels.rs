//! Labels as they are typed: `ring=first`.

use std::collections::BTreeMap;
use std::str::FromStr;

/// One label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Label {
    /// Before the equals sign.
    pub(crate) key: String,
    /// After it. May be empty, may hold more equals signs.
    pub(crate) value: String,
}

impl FromStr for Label {
    type Err = String;

    fn from_str(text: &str) -> Result<Label, String> {
        match text.split_once('=') {
            Some((key, value)) if !key.is_empty() => Ok(Label { key: key.to_owned(), value: value.to_owned() }),
            _ => Err("write a label as key=value, for example ring=first".to_owned()),
        }
    }
}

/// Labels by key. The last one wins where a key is given twice.
pub(crate) fn labels(labels: Vec<Label>) -> BTreeMap<String, String> {
    labels.into_iter().map(|label| (label.key, label.value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_split_at_its_first_equals_sign() {
        let label = |key: &str, value: &str| Ok(Label { key: key.into(), value: value.into() });
        assert_eq!("ring=first".parse(), label("ring", "first"));
        assert_eq!("a=b=c".parse(), label("a", "b=c"));
        assert_eq!("a=".parse(), label("a", ""));
        assert!("ring".parse::<Label>().is_err());
        assert!("=x".parse::<Label>().is_err());
    }
}
