//! What a look at a resource shows.

use std::path::Path;

use serde_json::{Map, Value};

use crate::desired::trouble::Trouble;

/// What was seen.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Look {
    /// It is as it should be.
    InOrder,
    /// It is otherwise.
    Otherwise {
        /// In which way, in words.
        message: String,
        /// What of its spec is otherwise, in the spec's own form.
        actual: Map<String, Value>,
    },
}

impl Look {
    /// It is otherwise in this way.
    pub(super) fn otherwise<const N: usize>(message: &str, actual: [(&str, Value); N]) -> Look {
        let actual = actual.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Look::Otherwise { message: message.to_owned(), actual }
    }

    /// It is otherwise in these parts, if there are any.
    pub(super) fn parts(parts: &[&str], actual: Map<String, Value>) -> Look {
        if parts.is_empty() {
            return Look::InOrder;
        }
        Look::Otherwise { message: format!("otherwise: its {}", parts.join(", ")), actual }
    }
}

/// There is no folder in which something could be made.
pub(super) fn no_folder(path: &Path) -> Trouble {
    let message = format!(
        "the folder of {} is not there; let a `directory` resource make it, and name that under `after`",
        path.display()
    );
    Trouble::failed("no_folder", message)
}
