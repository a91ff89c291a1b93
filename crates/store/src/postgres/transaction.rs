//! One transaction on one connection of the pool.

use std::fmt;

use deadpool_postgres::Object;
use futures_util::future::{join, try_join_all};
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use super::faults::fault;
use crate::audit::{self, NewEntry};
use crate::dialect::keepable;
use crate::errors::StoreError;
use crate::row::{Cell, Cells, Row};
use crate::value::Value;

/// Most statements of one `execute_each` that are under way at once; bounds the memory they hold.
const PIPELINED_MAX: usize = 256;

/// How a transaction begins.
#[derive(Debug, Clone, Copy)]
pub(super) enum Begin {
    Write,
    /// Repeatable read, so that a verb sees one moment as it does on SQLite.
    Read,
}

/// A connection with a transaction open on it.
///
/// Its state is unknown unless [`Transaction::end`] has succeeded. A connection in an unknown
/// state is closed when this is dropped and never goes back to the pool.
pub(crate) struct Transaction {
    connection: Option<Object>,
}

impl fmt::Debug for Transaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Transaction")
    }
}

impl Transaction {
    pub(super) async fn begin(connection: Object, begin: Begin) -> Result<Transaction, StoreError> {
        let transaction = Transaction { connection: Some(connection) };
        let text = match begin {
            Begin::Write => "begin",
            Begin::Read => "begin isolation level repeatable read read only",
        };
        transaction.batch(text).await?;
        Ok(transaction)
    }

    /// Keeps what was written, and with it what it has for the audit log. One entry, as most have, travels together
    /// with the commit and costs no way to the server and back.
    pub(crate) async fn commit(mut self, entries: &[NewEntry]) -> Result<(), StoreError> {
        if let [entry] = entries {
            let statement = self.connection().prepare_cached(audit::WAIT).await.map_err(|why| fault(&why))?;
            let row = waiting(entry);
            let handed_in = self.connection().execute_raw(&statement, row.iter().map(Bound));
            // Sent in this order; a commit after an entry that could not be written is a rollback.
            let (handed_in, committed) = join(handed_in, self.batch("commit")).await;
            handed_in.map_err(|why| fault(&why))?;
            committed?;
        } else {
            if !entries.is_empty() {
                let rows: Vec<[Value<'_>; 2]> = entries.iter().map(waiting).collect();
                self.execute_each(audit::WAIT, &rows).await?;
            }
            self.batch("commit").await?;
        }
        drop(self.connection.take());
        Ok(())
    }

    /// Leaves nothing of what was written.
    pub(super) async fn roll_back(mut self) -> Result<(), StoreError> {
        self.batch("rollback").await?;
        drop(self.connection.take());
        Ok(())
    }

    fn connection(&self) -> &Object {
        self.connection.as_ref().expect("the connection is there until the transaction ends")
    }

    pub(crate) async fn batch(&self, sql: &str) -> Result<(), StoreError> {
        self.connection().batch_execute(sql).await.map_err(|why| fault(&why))
    }

    pub(crate) async fn execute(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<u64, StoreError> {
        let statement = self.connection().prepare_cached(sql).await.map_err(|why| fault(&why))?;
        let done = self.connection().execute_raw(&statement, values.iter().map(Bound)).await;
        done.map_err(|why| fault(&why))
    }

    pub(crate) async fn execute_each<'v, R: AsRef<[Value<'v>]> + Sync>(
        &mut self,
        sql: &'static str,
        rows: &[R],
    ) -> Result<u64, StoreError> {
        let statement = self.connection().prepare_cached(sql).await.map_err(|why| fault(&why))?;
        let mut changed = 0;
        for chunk in rows.chunks(PIPELINED_MAX) {
            let under_way =
                chunk.iter().map(|row| self.connection().execute_raw(&statement, row.as_ref().iter().map(Bound)));
            changed += try_join_all(under_way).await.map_err(|why| fault(&why))?.into_iter().sum::<u64>();
        }
        Ok(changed)
    }

    pub(crate) async fn query(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<Vec<Row>, StoreError> {
        let statement = self.connection().prepare_cached(sql).await.map_err(|why| fault(&why))?;
        let bound: Vec<Bound<'_>> = values.iter().map(Bound).collect();
        let bound: Vec<&(dyn ToSql + Sync)> = bound.iter().map(|value| value as &(dyn ToSql + Sync)).collect();
        let rows = self.connection().query(&statement, &bound).await.map_err(|why| fault(&why))?;
        Ok(rows.into_iter().map(|row| Row(Cells::Postgres(row))).collect())
    }
}

/// The row in which an entry waits for its link.
fn waiting(entry: &NewEntry) -> [Value<'_>; 2] {
    [entry.org().into(), entry.text().into()]
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            drop(Object::take(connection));
        }
    }
}

/// A value on its way to the server, which says what type it expects.
#[derive(Debug)]
struct Bound<'a>(&'a Value<'a>);

impl ToSql for Bound<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match (self.0, ty) {
            (Value::Null, _) => Ok(IsNull::Yes),
            (Value::Int(number), &Type::INT8) => number.to_sql(ty, out),
            (Value::Text(text), &Type::TEXT) => keepable(text).as_ref().to_sql(ty, out),
            (Value::Bytes(bytes), &Type::BYTEA) => bytes.to_sql(ty, out),
            (Value::Id(id), &Type::TEXT) => {
                let mut text = uuid::Uuid::encode_buffer();
                let text: &str = id.as_hyphenated().encode_lower(&mut text);
                text.to_sql(ty, out)
            }
            (value, ty) => Err(format!("{value:?} does not fit a parameter of type {ty}").into()),
        }
    }

    fn accepts(ty: &Type) -> bool {
        matches!(*ty, Type::INT8 | Type::TEXT | Type::BYTEA)
    }

    to_sql_checked!();
}

/// One value of a row. The error says what is wrong with it.
pub(crate) fn cell(row: &tokio_postgres::Row, at: usize) -> Result<Cell, String> {
    let column = row.columns().get(at).ok_or("is not in the answer")?;
    let value = match *column.type_() {
        Type::INT8 => row.try_get::<_, Option<i64>>(at).map(|value| value.map(Cell::Int)),
        Type::TEXT => row.try_get::<_, Option<String>>(at).map(|value| value.map(Cell::Text)),
        Type::BYTEA => row.try_get::<_, Option<Vec<u8>>>(at).map(|value| value.map(Cell::Bytes)),
        ref other => return Err(format!("is of type {other}, which the store does not use")),
    };
    value.map(|value| value.unwrap_or(Cell::Null)).map_err(|why| why.to_string())
}
