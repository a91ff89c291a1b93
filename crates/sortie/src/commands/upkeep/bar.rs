//! How far a store has come on its way, for whoever is looking.

use sortie_hub::upkeep::Progress;

use crate::output::{Output, ProgressBar};

/// A bar over the tables, with the rows so far.
pub(super) struct Bar {
    output: Output,
    bar: Option<ProgressBar>,
}

impl Bar {
    /// Shows nothing yet.
    pub(super) fn new(output: Output) -> Bar {
        Bar { output, bar: None }
    }

    /// Shows this.
    pub(super) fn show(&mut self, at: Progress) {
        let bar = self.bar.get_or_insert_with(|| self.output.progress_bar(at.tables as u64));
        let table = if at.table.is_empty() { String::new() } else { format!("{}, ", at.table) };
        bar.set(at.place as u64, format!("{table}{} rows", at.rows));
    }
}
