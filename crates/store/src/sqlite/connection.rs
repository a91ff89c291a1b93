//! One open connection: binds values, runs statements, reads rows.

use std::collections::HashMap;

use rusqlite::types::ValueRef;
use rusqlite::{CachedStatement, ErrorCode, Statement};

use super::faults::fault;
use crate::dialect;
use crate::errors::StoreError;
use crate::row::{Cell, Cells, Row};
use crate::value::Value;

/// Prepared statements kept per connection; more than the store has, so that none is prepared twice.
const STATEMENTS_MAX: usize = 512;

/// An open SQLite connection.
#[derive(Debug)]
pub(crate) struct Connection {
    raw: rusqlite::Connection,
    /// Each text as SQLite takes it, by the address and length of the text as the store has it:
    /// those are `'static`, so the address names them without reading hundreds of bytes.
    texts: HashMap<(usize, usize), Box<str>>,
}

impl Connection {
    pub(crate) fn new(raw: rusqlite::Connection) -> Connection {
        raw.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
        Connection { raw, texts: HashMap::with_capacity(STATEMENTS_MAX) }
    }

    fn prepare(&mut self, sql: &'static str) -> Result<CachedStatement<'_>, StoreError> {
        let name = (sql.as_ptr().addr(), sql.len());
        let text = self.texts.entry(name).or_insert_with(|| dialect::sqlite_text(sql).into());
        self.raw.prepare_cached(text).map_err(|why| fault(&why))
    }

    /// Refuses to go on when an error such as a full disk has ended the transaction: what came next
    /// would commit alone.
    pub(crate) fn check_transaction(&self) -> Result<(), StoreError> {
        if self.in_transaction() {
            return Ok(());
        }
        Err(StoreError::Full { why: "the transaction was ended by an earlier error, most likely want of disk".into() })
    }

    pub(crate) fn execute(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<u64, StoreError> {
        let mut statement = self.prepare(sql)?;
        bind(&mut statement, values)?;
        let changed = statement.raw_execute().map_err(|why| fault(&why))?;
        Ok(changed as u64)
    }

    pub(crate) fn query(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<Vec<Row>, StoreError> {
        let mut statement = self.prepare(sql)?;
        bind(&mut statement, values)?;
        let width = statement.column_count();
        let mut answer = statement.raw_query();
        let mut rows = Vec::new();
        while let Some(row) = answer.next().map_err(|why| fault(&why))? {
            let mut cells = Vec::with_capacity(width);
            for at in 0..width {
                cells.push(cell(row.get_ref(at).map_err(|why| fault(&why))?)?);
            }
            rows.push(Row(Cells::Sqlite(cells)));
        }
        Ok(rows)
    }

    /// Runs a text of one or more statements that take no values and whose rows nobody wants.
    pub(crate) fn batch(&self, sql: &str) -> Result<(), StoreError> {
        self.raw.execute_batch(sql).map_err(|why| fault(&why))
    }

    /// As [`Connection::batch`], and once more as often as `again` says while another connection stands in the
    /// way. For what SQLite does not wait for by itself, because two who waited for each other would do so for
    /// good.
    pub(super) fn batch_when_free(&self, sql: &str, mut again: impl FnMut() -> bool) -> Result<(), StoreError> {
        loop {
            let Err(why) = self.raw.execute_batch(sql) else { return Ok(()) };
            if why.sqlite_error_code() != Some(ErrorCode::DatabaseBusy) || !again() {
                return Err(fault(&why));
            }
        }
    }

    /// Copies the whole WAL into the database and flushes both to disk. Fails if a reader stands in the
    /// way for too long.
    pub(crate) fn copy_whole_wal(&self) -> Result<(), StoreError> {
        let copied = self.raw.query_row("pragma wal_checkpoint(full)", [], |row| {
            Ok(row.get::<_, i64>(0)? == 0 && row.get::<_, i64>(1)? == row.get::<_, i64>(2)?)
        });
        match copied.map_err(|why| fault(&why))? {
            true => Ok(()),
            false => Err(StoreError::Unavailable { why: "its log could not be copied into it; try again".to_owned() }),
        }
    }

    /// How many rows have been changed since it was opened, whatever became of them.
    pub(crate) fn changes(&self) -> u64 {
        self.raw.total_changes()
    }

    /// Whether a transaction is open. An error such as a full disk may have ended it.
    pub(crate) fn in_transaction(&self) -> bool {
        !self.raw.is_autocommit()
    }
}

fn bind(statement: &mut Statement<'_>, values: &[Value<'_>]) -> Result<(), StoreError> {
    for (index, value) in (1..).zip(values) {
        let bound = match value {
            Value::Null => statement.raw_bind_parameter(index, rusqlite::types::Null),
            Value::Int(number) => statement.raw_bind_parameter(index, number),
            Value::Text(text) => statement.raw_bind_parameter(index, dialect::keepable(text).as_ref()),
            Value::Bytes(bytes) => statement.raw_bind_parameter(index, bytes),
            Value::Id(id) => {
                let mut text = uuid::Uuid::encode_buffer();
                statement.raw_bind_parameter(index, &*id.as_hyphenated().encode_lower(&mut text))
            }
        };
        bound.map_err(|why| fault(&why))?;
    }
    Ok(())
}

fn cell(value: ValueRef<'_>) -> Result<Cell, StoreError> {
    match value {
        ValueRef::Null => Ok(Cell::Null),
        ValueRef::Integer(number) => Ok(Cell::Int(number)),
        ValueRef::Text(text) => match std::str::from_utf8(text) {
            Ok(text) => Ok(Cell::Text(text.to_owned())),
            // Kept as what it is: the reader of the column says which one is not text.
            Err(_) => Ok(Cell::Bytes(text.to_owned())),
        },
        ValueRef::Blob(bytes) => Ok(Cell::Bytes(bytes.to_owned())),
        ValueRef::Real(number) => Err(StoreError::Bug { why: format!("a query gave the fraction {number}") }),
    }
}
