//! What lies in the safe, in memory.

use std::collections::BTreeMap;
use std::fmt;

/// What lies in the safe, by names such as `keys/ring.json`.
#[derive(Clone, Default)]
pub(crate) struct Contents {
    pub(super) entries: BTreeMap<String, Vec<u8>>,
    /// The number of the change that led to it, where changes are numbered.
    pub(super) change: u64,
}

impl fmt::Debug for Contents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.entries.keys()).finish()
    }
}

impl Contents {
    /// What lies under this name.
    pub(crate) fn get(&self, name: &str) -> Option<&[u8]> {
        self.entries.get(name).map(Vec::as_slice)
    }

    /// Whether nothing lies in it.
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// All names.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// The same with these put in.
    pub(crate) fn with(&self, put: &[(String, Vec<u8>)]) -> Contents {
        let mut next = self.clone();
        next.entries.extend(put.iter().cloned());
        next
    }

    /// The number of the change that led to it; 0 where changes are not numbered.
    pub(crate) fn change(&self) -> u64 {
        self.change
    }

    /// Whether it is the outcome of a later change than the other.
    pub(crate) fn is_newer_than(&self, other: &Contents) -> bool {
        self.change > other.change
    }
}
