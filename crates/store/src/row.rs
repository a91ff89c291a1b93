//! Rows that come back, read column by column in the order of the `select`.

use std::collections::BTreeMap;

use sortie_rules::ids::{Id, Kind};
use sortie_rules::time::{Millis, Span};

use crate::errors::StoreError;

/// One row of an answer.
#[derive(Debug)]
pub struct Row(pub(crate) Cells);

#[derive(Debug)]
pub(crate) enum Cells {
    Sqlite(Vec<Cell>),
    Postgres(tokio_postgres::Row),
}

/// One value of an answer.
#[derive(Debug, Clone)]
pub(crate) enum Cell {
    Null,
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
}

impl Row {
    /// All of the row's values. `table` names the table in errors.
    pub(crate) fn cells(self, table: &'static str) -> Result<Vec<Cell>, StoreError> {
        match self.0 {
            Cells::Sqlite(cells) => Ok(cells),
            Cells::Postgres(row) => {
                let corrupt = |why| StoreError::Corrupt { table, column: "row", why };
                (0..row.len()).map(|at| crate::postgres::cell(&row, at).map_err(corrupt)).collect()
            }
        }
    }

    /// Begins to read the row's columns from the first one on. `table` names the table in errors.
    pub fn columns(self, table: &'static str) -> Columns {
        Columns { cells: self.0, next: 0, table }
    }
}

/// A row under reading: each call takes the next column. The names serve the errors; the order is
/// that of the `select`.
#[derive(Debug)]
pub struct Columns {
    cells: Cells,
    next: usize,
    table: &'static str,
}

impl Columns {
    fn take(&mut self, column: &'static str) -> Result<Cell, StoreError> {
        let at = self.next;
        self.next += 1;
        match &mut self.cells {
            Cells::Sqlite(cells) => {
                let cell = cells.get_mut(at).map(|cell| std::mem::replace(cell, Cell::Null));
                cell.ok_or_else(|| self.corrupt(column, "is not in the answer"))
            }
            Cells::Postgres(row) => {
                let cell = crate::postgres::cell(row, at);
                cell.map_err(|why| self.corrupt(column, why))
            }
        }
    }

    /// The error for a column that does not hold what it should.
    pub fn corrupt(&self, column: &'static str, why: impl Into<String>) -> StoreError {
        StoreError::Corrupt { table: self.table, column, why: why.into() }
    }

    /// Text or nothing.
    pub fn text_or_none(&mut self, column: &'static str) -> Result<Option<String>, StoreError> {
        match self.take(column)? {
            Cell::Null => Ok(None),
            Cell::Text(text) => Ok(Some(text)),
            _ => Err(self.corrupt(column, "is not text")),
        }
    }

    /// Text.
    pub fn text(&mut self, column: &'static str) -> Result<String, StoreError> {
        self.text_or_none(column)?.ok_or_else(|| self.corrupt(column, "is null"))
    }

    /// A whole number or nothing.
    pub fn int_or_none(&mut self, column: &'static str) -> Result<Option<i64>, StoreError> {
        match self.take(column)? {
            Cell::Null => Ok(None),
            Cell::Int(number) => Ok(Some(number)),
            _ => Err(self.corrupt(column, "is not a number")),
        }
    }

    /// A whole number.
    pub fn int(&mut self, column: &'static str) -> Result<i64, StoreError> {
        self.int_or_none(column)?.ok_or_else(|| self.corrupt(column, "is null"))
    }

    /// A whole number that fits the type asked for.
    pub fn number<N: TryFrom<i64>>(&mut self, column: &'static str) -> Result<N, StoreError> {
        let number = self.int(column)?;
        N::try_from(number).map_err(|_| self.corrupt(column, format!("is out of range ({number})")))
    }

    /// A whole number that fits the type asked for, or nothing.
    pub fn number_or_none<N: TryFrom<i64>>(&mut self, column: &'static str) -> Result<Option<N>, StoreError> {
        let Some(number) = self.int_or_none(column)? else { return Ok(None) };
        N::try_from(number).map(Some).map_err(|_| self.corrupt(column, format!("is out of range ({number})")))
    }

    /// Yes or no.
    pub fn flag(&mut self, column: &'static str) -> Result<bool, StoreError> {
        match self.int(column)? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(self.corrupt(column, format!("is neither 0 nor 1 but {other}"))),
        }
    }

    /// Bytes or nothing.
    pub fn bytes_or_none(&mut self, column: &'static str) -> Result<Option<Vec<u8>>, StoreError> {
        match self.take(column)? {
            Cell::Null => Ok(None),
            Cell::Bytes(bytes) => Ok(Some(bytes)),
            _ => Err(self.corrupt(column, "is not bytes")),
        }
    }

    /// Bytes.
    pub fn bytes(&mut self, column: &'static str) -> Result<Vec<u8>, StoreError> {
        self.bytes_or_none(column)?.ok_or_else(|| self.corrupt(column, "is null"))
    }

    /// An id.
    pub fn id<K: Kind>(&mut self, column: &'static str) -> Result<Id<K>, StoreError> {
        let text = self.text(column)?;
        text.parse().map_err(|_| self.corrupt(column, format!("is not an id ({text})")))
    }

    /// An id or nothing.
    pub fn id_or_none<K: Kind>(&mut self, column: &'static str) -> Result<Option<Id<K>>, StoreError> {
        let Some(text) = self.text_or_none(column)? else { return Ok(None) };
        text.parse().map(Some).map_err(|_| self.corrupt(column, format!("is not an id ({text})")))
    }

    /// An instant.
    pub fn millis(&mut self, column: &'static str) -> Result<Millis, StoreError> {
        self.int(column).map(Millis)
    }

    /// An instant or nothing.
    pub fn millis_or_none(&mut self, column: &'static str) -> Result<Option<Millis>, StoreError> {
        Ok(self.int_or_none(column)?.map(Millis))
    }

    /// A span of time.
    pub fn span(&mut self, column: &'static str) -> Result<Span, StoreError> {
        self.int(column).map(Span)
    }

    /// A span of time or nothing.
    pub fn span_or_none(&mut self, column: &'static str) -> Result<Option<Span>, StoreError> {
        Ok(self.int_or_none(column)?.map(Span))
    }

    /// A word of a closed list, read by that list's own `parse`.
    pub fn word<T>(&mut self, column: &'static str, parse: impl FnOnce(&str) -> Option<T>) -> Result<T, StoreError> {
        let text = self.text(column)?;
        parse(&text).ok_or_else(|| self.corrupt(column, format!("is an unknown word ({text})")))
    }

    /// The same, where there may be none.
    pub fn word_or_none<T>(
        &mut self,
        column: &'static str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, StoreError> {
        let Some(text) = self.text_or_none(column)? else { return Ok(None) };
        parse(&text).map(Some).ok_or_else(|| self.corrupt(column, format!("has an unknown word ({text})")))
    }

    /// Labels, stored as a JSON object with sorted keys.
    pub fn labels(&mut self, column: &'static str) -> Result<BTreeMap<String, String>, StoreError> {
        let text = self.text(column)?;
        serde_json::from_str(&text).map_err(|why| self.corrupt(column, format!("is not a set of labels ({why})")))
    }
}

/// Labels as they are stored: compact JSON with sorted keys, so that equal labels are equal text.
pub(crate) fn labels_text(labels: &BTreeMap<String, String>) -> String {
    serde_json::to_string(labels).expect("a map of strings is JSON")
}
