//! Goes through all rows of a database, page by page.

use std::collections::VecDeque;

use super::lines;
use super::tables::{self, Order, ROW_ID, TABLES, Table, statement};
use crate::errors::StoreError;
use crate::row::Cell;
use crate::tx::Tx;
use crate::value::Value;

/// How many rows the first page of a table has: a row may be of megabytes.
const PAGE_ROWS_FIRST: u32 = 16;
/// Most rows of a page.
const PAGE_ROWS_MAX: u32 = 2000;
/// A page of less may be followed by one of twice as many rows.
const PAGE_BYTES_SMALL: usize = 1 << 20;
/// A page of more is followed by one of a quarter as many rows.
const PAGE_BYTES_LARGE: usize = 8 << 20;
/// Most rows of a table that is read at once.
const WHOLE_ROWS_MAX: u32 = 100_000;

/// Some rows of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Which table.
    pub table: &'static str,
    /// How many rows.
    pub rows: u64,
    /// Each as a line.
    pub lines: Vec<u8>,
    /// They wait for a number, or for their link, which their database gives them in the order of arrival.
    pub waits: bool,
}

/// A way through all rows.
#[derive(Debug)]
pub(super) struct Reading {
    left: VecDeque<Stretch>,
    /// The key of the last row, in the middle of a stretch.
    after: Option<Vec<Cell>>,
    page_rows: u32,
}

/// Rows of one table that are read with one pair of statements.
#[derive(Debug)]
struct Stretch {
    table: &'static str,
    first: &'static str,
    /// What goes on after a page; none where there is one page.
    next: Option<&'static str>,
    /// How many values a line has; what else is selected tells the place.
    width: usize,
    /// Where in a row its key stands.
    key: Vec<usize>,
    waits: bool,
}

impl Reading {
    /// Of all tables, or of those that are wanted, from the first row on.
    pub(super) async fn of(tx: &mut Tx, wanted: impl Fn(&str) -> bool) -> Result<Reading, StoreError> {
        let mut left = VecDeque::new();
        for table in TABLES.iter().filter(|table| wanted(table.name)) {
            let columns = tables::columns(tx, table.name).await?;
            if !columns.is_empty() {
                left.extend(stretches(table, &columns, tx.is_postgres()));
            }
        }
        Ok(Reading { left, after: None, page_rows: PAGE_ROWS_FIRST })
    }

    /// The next rows; nothing after the last.
    pub(super) async fn next(&mut self, tx: &mut Tx) -> Result<Option<Part>, StoreError> {
        while let Some(stretch) = self.left.front() {
            let limit = if stretch.next.is_some() { self.page_rows } else { WHOLE_ROWS_MAX };
            let rows = match (&self.after, stretch.next) {
                (Some(after), Some(next)) => {
                    let values: Vec<Value<'_>> = after.iter().map(lines::value).chain([limit.into()]).collect();
                    tx.query(next, &values).await?
                }
                _ => tx.query(stretch.first, &[limit.into()]).await?,
            };
            let mut rows = rows.into_iter().map(|row| row.cells(stretch.table)).collect::<Result<Vec<_>, _>>()?;
            let is_full = rows.len() == limit as usize;
            if is_full && stretch.next.is_none() {
                let why = format!("`{}` has grown beyond {WHOLE_ROWS_MAX} rows", stretch.table);
                return Err(StoreError::Bug { why });
            }
            if stretch.next.is_none() {
                rows.sort_unstable_by_key(|row| row.first().map(lines::sort_key));
            }
            let part = part(stretch, &rows);
            self.after = rows.pop().map(|mut last| {
                let take = |at: &usize| std::mem::replace(&mut last[*at], Cell::Null);
                stretch.key.iter().map(take).collect()
            });
            if is_full {
                self.page_rows = next_page(self.page_rows, part.lines.len());
            } else {
                self.left.pop_front();
                (self.after, self.page_rows) = (None, PAGE_ROWS_FIRST);
            }
            if part.rows > 0 {
                return Ok(Some(part));
            }
        }
        Ok(None)
    }
}

/// How many rows the page after one of so many bytes has.
fn next_page(rows: u32, bytes: usize) -> u32 {
    match bytes {
        0..PAGE_BYTES_SMALL => (rows * 2).min(PAGE_ROWS_MAX),
        PAGE_BYTES_SMALL..=PAGE_BYTES_LARGE => rows,
        _ => (rows / 4).max(1),
    }
}

fn part(stretch: &Stretch, rows: &[Vec<Cell>]) -> Part {
    let mut text = Vec::new();
    rows.iter().for_each(|row| lines::write(&mut text, &row[..stretch.width]));
    Part { table: stretch.table, rows: rows.len() as u64, lines: text, waits: stretch.waits }
}

fn stretches(table: &Table, columns: &[String], is_postgres: bool) -> Vec<Stretch> {
    let (name, listed) = (table.name, columns.join(", "));
    let by = |key: &[&str]| Stretch {
        table: name,
        first: statement(format!("select {listed} from {name}{} order by {} limit $1", known(key), key.join(", "))),
        next: Some(statement(format!(
            "select {listed} from {name} where ({}) > ({}) order by {} limit ${}",
            key.join(", "),
            (1..=key.len()).map(|number| format!("${number}")).collect::<Vec<_>>().join(", "),
            key.join(", "),
            key.len() + 1,
        ))),
        width: columns.len(),
        key: key.iter().filter_map(|column| columns.iter().position(|name| name == column)).collect(),
        waits: false,
    };
    let by_arrival = |which: &str| Stretch {
        table: name,
        first: statement(format!("select {listed}, {ROW_ID} from {name} where {which} order by {ROW_ID} limit $1")),
        next: Some(statement(format!(
            "select {listed}, {ROW_ID} from {name} where {which} and {ROW_ID} > $1 order by {ROW_ID} limit $2"
        ))),
        width: columns.len(),
        key: vec![columns.len()],
        waits: true,
    };
    match table.order {
        Order::Key(key) => vec![by(key)],
        Order::Whole => {
            let first = statement(format!("select {listed} from {name} limit $1"));
            vec![Stretch { table: name, first, next: None, width: columns.len(), key: Vec::new(), waits: false }]
        }
        Order::Number if is_postgres => vec![by(&["number"]), by_arrival("number is null")],
        Order::Number => vec![by(&["number"])],
        Order::Arrival => vec![by_arrival("1 = 1")],
    }
}

/// On PostgreSQL a number may be missing; elsewhere a key never is, and this changes nothing.
fn known(key: &[&str]) -> String {
    if key == ["number"] { " where number is not null".to_owned() } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_grow_while_rows_are_small_and_shrink_when_they_are_large() {
        assert_eq!(next_page(16, 100), 32);
        assert_eq!(next_page(PAGE_ROWS_MAX, 100), PAGE_ROWS_MAX);
        assert_eq!(next_page(64, 2 << 20), 64);
        assert_eq!(next_page(64, 100 << 20), 16);
        assert_eq!(next_page(1, 100 << 20), 1);
    }
}
