//! How far a store has come on its way.

use sortie_store::whole::{Part, TABLES};

/// How far it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// The table that is under way.
    pub table: &'static str,
    /// Which of all tables that is, from 1.
    pub place: usize,
    /// How many tables there are.
    pub tables: usize,
    /// Rows so far, of all tables.
    pub rows: u64,
}

impl Progress {
    /// After these rows too.
    pub(super) fn after(self, part: &Part) -> Progress {
        let place = TABLES.iter().position(|table| table.name == part.table).unwrap_or_default() + 1;
        Progress { table: part.table, place, tables: TABLES.len(), rows: self.rows + part.rows }
    }
}
