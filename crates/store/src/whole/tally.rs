//! What a table holds, in two figures that can be compared across engines.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use aws_lc_rs::digest::{Context, SHA256};

use super::reading::Part;

/// What one table holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    /// How many rows.
    pub rows: u64,
    /// The SHA-256 of their lines, in hex.
    pub sha256: String,
    /// How many rows beside them wait for a number that their database gives.
    pub waiting: u64,
}

/// What all tables hold, while it is counted.
#[derive(Clone, Default)]
pub struct Tallies(BTreeMap<&'static str, Counted>);

#[derive(Clone)]
struct Counted {
    rows: u64,
    hash: Context,
    waiting: u64,
}

impl std::fmt::Debug for Tallies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(self.0.iter().map(|(name, counted)| (name, counted.rows))).finish()
    }
}

impl Tallies {
    /// Counts a part; parts come in their order.
    pub fn add(&mut self, part: &Part) {
        let empty = || Counted { rows: 0, hash: Context::new(&SHA256), waiting: 0 };
        let counted = self.0.entry(part.table).or_insert_with(empty);
        if part.waits {
            counted.waiting += part.rows;
        } else {
            counted.rows += part.rows;
            counted.hash.update(&part.lines);
        }
    }

    /// What came out, by table.
    pub fn finish(self) -> BTreeMap<&'static str, Tally> {
        let finish = |(name, counted): (&'static str, Counted)| {
            let mut sha256 = String::with_capacity(64);
            for byte in counted.hash.finish().as_ref() {
                write!(sha256, "{byte:02x}").expect("writing to a String never fails");
            }
            (name, Tally { rows: counted.rows, sha256, waiting: counted.waiting })
        };
        self.0.into_iter().map(finish).collect()
    }
}
