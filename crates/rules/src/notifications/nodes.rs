//! Whose nodes somebody asks after, as it is written in a recipient or a rule.

use serde::{Deserialize, Serialize};

use crate::limits::{SELECTOR_BYTES_MAX, SELECTOR_NAMES_MAX};
use crate::selectors::{Selected, Selector, parse_labels};

/// A selector with the text that it was read from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct NodesMeant {
    selector: Selector,
    label: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    label: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    site: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    names: Vec<String>,
}

impl NodesMeant {
    /// Whether a node is meant. What is about no node at all is nobody's whose nodes are named.
    pub fn mean(&self, node: Option<Selected<'_>>) -> bool {
        node.is_some_and(|node| self.selector.matches(node))
    }

    /// The names of which a node must have one; any if empty.
    pub fn names(&self) -> &[String] {
        &self.selector.names
    }

    /// The site that a node must be at.
    pub fn site(&self) -> Option<&str> {
        self.selector.site.as_deref()
    }
}

impl TryFrom<Written> for NodesMeant {
    type Error = String;

    fn try_from(written: Written) -> Result<NodesMeant, String> {
        let Written { label, site, kind, names } = written;
        let text = label.as_deref().unwrap_or("");
        if text.len() > SELECTOR_BYTES_MAX || names.len() > SELECTOR_NAMES_MAX {
            return Err(format!(
                "`nodes` has at most {SELECTOR_BYTES_MAX} bytes of labels and {SELECTOR_NAMES_MAX} names"
            ));
        }
        let labels = parse_labels(text).map_err(|error| format!("`nodes`: {error}"))?;
        let selector = Selector { labels, site, kind, names, all: false };
        if selector.is_empty() {
            return Err("`nodes` says nothing; leave it out if all nodes are meant".to_owned());
        }
        Ok(NodesMeant { selector, label })
    }
}

impl From<NodesMeant> for Written {
    fn from(nodes: NodesMeant) -> Written {
        let Selector { site, kind, names, .. } = nodes.selector;
        Written { label: nodes.label, site, kind, names }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use serde_json::json;

    #[test]
    fn nodes_are_meant_by_all_that_is_said_and_written_as_they_were_read() {
        let text = json!({ "label": "zone=north", "site": "homes" });
        let nodes: NodesMeant = serde_json::from_value(text.clone()).unwrap();
        let labels = BTreeMap::from([("zone".to_owned(), "north".to_owned())]);
        let node = Selected { name: "box-1", site: Some("homes"), kind: "host", labels: &labels };
        assert!(nodes.mean(Some(node)) && !nodes.mean(Some(Selected { site: None, ..node })) && !nodes.mean(None));
        assert_eq!((nodes.site(), nodes.names()), (Some("homes"), &[][..]));
        assert_eq!(serde_json::to_value(&nodes).unwrap(), text);
    }

    #[test]
    fn what_means_nobody_or_cannot_be_read_is_refused() {
        for (text, said) in [
            (json!({}), "says nothing"),
            (json!({ "label": "a=1,=x" }), "key=value"),
            (json!({ "names": vec!["x"; SELECTOR_NAMES_MAX + 1] }), "at most"),
            (json!({ "labels": "a" }), "unknown field"),
        ] {
            let error = serde_json::from_value::<NodesMeant>(text).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
    }
}
