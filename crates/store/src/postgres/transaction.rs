//! One transaction on one connection of the pool.

use std::fmt;
use std::time::Duration;

use deadpool_postgres::Object;
use futures_util::future::{join, try_join_all};
use tokio_postgres::Error;
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use super::faults::{Kind, Trouble, trouble};
use super::many::{Many, borrowed};
use crate::audit::{self, NewEntry};
use crate::dialect::keepable;
use crate::errors::StoreError;
use crate::row::{Cell, Cells, Row};
use crate::set_form::{ColumnType, set_form, telling_set_form};
use crate::value::Value;

/// Most rows of values that travel together; bounds the memory they hold.
const TOGETHER_MAX: usize = 256;

/// How a transaction begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Begin {
    Write,
    /// Repeatable read, so that a verb sees one moment as it does on SQLite.
    Read,
}

/// A connection with a transaction open on it.
///
/// Its state is unknown unless commit or roll-back has succeeded. A connection in an unknown state is
/// closed when this is dropped and never goes back to the pool, and so is one on which nothing can be
/// written any more.
pub(crate) struct Transaction {
    connection: Option<Object>,
    /// How long each answer is waited for.
    answer_max: Duration,
    /// The first that went wrong.
    trouble: Option<Kind>,
}

/// A transaction that was to be committed, and of which that cannot be said.
#[derive(Debug)]
pub(crate) struct Uncommitted {
    /// Why; [`StoreError::Unknown`] if it may have been committed all the same.
    pub(crate) error: StoreError,
    /// What happened, if it is sure that nothing was kept.
    pub(super) undone: Option<Kind>,
}

impl fmt::Debug for Transaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Transaction")
    }
}

/// What the server answers, or that it does not.
async fn answered<T>(within: Duration, asked: impl Future<Output = Result<T, Error>>) -> Result<T, Trouble> {
    match tokio::time::timeout(within, asked).await {
        Ok(done) => done.map_err(|why| trouble(&why)),
        Err(_) => Err(Trouble::silent(within)),
    }
}

impl Transaction {
    pub(super) async fn begin(connection: Object, begin: Begin, answer_max: Duration) -> Result<Transaction, Trouble> {
        let text = match begin {
            Begin::Write => "begin",
            Begin::Read => "begin isolation level repeatable read read only",
        };
        answered(answer_max, connection.batch_execute(text)).await?;
        Ok(Transaction { connection: Some(connection), answer_max, trouble: None })
    }

    /// The first that went wrong, if anything has: then nothing of the transaction can be kept.
    pub(super) fn trouble(&self) -> Option<Kind> {
        self.trouble
    }

    /// Keeps what was written, and with it what it has for the audit log. One entry, as most have, travels together
    /// with the commit and costs no way to the server and back.
    pub(crate) async fn commit(mut self, entries: &[NewEntry]) -> Result<(), Uncommitted> {
        let within = self.answer_max;
        if entries.len() > 1 {
            let rows: Vec<[Value<'_>; 2]> = entries.iter().map(waiting).collect();
            let handed_in = self.execute_each(audit::WAIT, &rows).await;
            handed_in.map_err(|error| Uncommitted { error, undone: self.trouble })?;
        }
        let connection = self.connection();
        let mut statement = None;
        if entries.len() == 1 {
            let prepared = answered(within, connection.prepare_cached(audit::WAIT)).await;
            statement = Some(prepared.map_err(Uncommitted::undone)?);
        }
        // From here on it may be kept though no answer comes, unless nothing can be sent at all.
        if connection.is_closed() {
            return Err(Uncommitted::undone(Trouble::dead()));
        }
        let done = match (&statement, entries) {
            (Some(statement), [entry]) => {
                let row = waiting(entry);
                let handed_in = connection.execute_raw(statement, row.iter().map(Bound));
                let both = async {
                    // Sent in this order; a commit after an entry that could not be written is a rollback.
                    let (handed_in, committed) = join(handed_in, connection.batch_execute("commit")).await;
                    handed_in.and(committed)
                };
                answered(within, both).await
            }
            _ => answered(within, connection.batch_execute("commit")).await,
        };
        done.map_err(Uncommitted::after_sending)?;
        drop(self.connection.take());
        Ok(())
    }

    /// Ends a transaction that has only read; how that goes changes nothing of what was read.
    pub(super) async fn finish(mut self) {
        if answered(self.answer_max, self.connection().batch_execute("commit")).await.is_ok() {
            drop(self.connection.take());
        }
    }

    /// Leaves nothing of what was written. If the server cannot be told, it finds out by itself, since the
    /// connection ends.
    pub(super) async fn roll_back(mut self) {
        if matches!(self.trouble, Some(Kind::Lost | Kind::Silent)) {
            return;
        }
        let done = answered(self.answer_max, self.connection().batch_execute("rollback")).await;
        if done.is_ok() && self.trouble != Some(Kind::ReadOnly) {
            drop(self.connection.take());
        }
    }

    fn connection(&self) -> &Object {
        self.connection.as_ref().expect("the connection is there until the transaction ends")
    }

    fn note<T>(&mut self, done: Result<T, Trouble>) -> Result<T, StoreError> {
        done.map_err(|trouble| {
            self.trouble.get_or_insert(trouble.kind);
            trouble.error
        })
    }

    pub(crate) async fn batch(&mut self, sql: &str) -> Result<(), StoreError> {
        let done = answered(self.answer_max, self.connection().batch_execute(sql)).await;
        self.note(done)
    }

    pub(crate) async fn execute(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<u64, StoreError> {
        let connection = self.connection();
        let asked = async {
            let statement = connection.prepare_cached(sql).await?;
            connection.execute_raw(&statement, values.iter().map(Bound)).await
        };
        let done = answered(self.answer_max, asked).await;
        self.note(done)
    }

    pub(crate) async fn execute_each<'v, R: AsRef<[Value<'v>]> + Sync>(
        &mut self,
        sql: &'static str,
        rows: &[R],
    ) -> Result<u64, StoreError> {
        let mut changed = 0;
        for chunk in rows.chunks(TOGETHER_MAX) {
            if let Some(many) = self.for_many(sql, chunk.len(), set_form).await? {
                let columns = many.columns(chunk)?;
                let columns = borrowed(&columns);
                let asked = self.connection().execute(&many.statement, &columns);
                let done = answered(self.answer_max, asked).await;
                changed += self.note(done)?;
                continue;
            }
            let connection = self.connection();
            let asked = async {
                let statement = connection.prepare_cached(sql).await?;
                let under_way =
                    chunk.iter().map(|row| connection.execute_raw(&statement, row.as_ref().iter().map(Bound)));
                try_join_all(under_way).await
            };
            let done = answered(self.answer_max, asked).await;
            changed += self.note(done)?.into_iter().sum::<u64>();
        }
        Ok(changed)
    }

    pub(crate) async fn query_each<const N: usize>(
        &mut self,
        sql: &'static str,
        rows: &[[Value<'_>; N]],
    ) -> Result<Vec<Row>, StoreError> {
        let mut all = Vec::new();
        for chunk in rows.chunks(TOGETHER_MAX) {
            let Some(many) = self.for_many(sql, chunk.len(), set_form).await? else {
                for row in chunk {
                    all.extend(self.query(sql, row).await?);
                }
                continue;
            };
            let columns = many.columns(chunk)?;
            let columns = borrowed(&columns);
            let asked = self.connection().query(&many.statement, &columns);
            let done = answered(self.answer_max, asked).await;
            all.extend(self.note(done)?.into_iter().map(|row| Row(Cells::Postgres(row))));
        }
        Ok(all)
    }

    pub(crate) async fn change_each<const N: usize>(
        &mut self,
        sql: &'static str,
        rows: &[[Value<'_>; N]],
    ) -> Result<Vec<bool>, StoreError> {
        let mut changed = Vec::with_capacity(rows.len());
        for chunk in rows.chunks(TOGETHER_MAX) {
            let Some(many) = self.for_many(sql, chunk.len(), telling_set_form).await? else {
                for row in chunk {
                    changed.push(self.execute(sql, row).await? > 0);
                }
                continue;
            };
            let columns = many.columns(chunk)?;
            let columns = borrowed(&columns);
            let asked = self.connection().query(&many.statement, &columns);
            let done = answered(self.answer_max, asked).await;
            let before = changed.len();
            changed.resize(before + chunk.len(), false);
            for row in self.note(done)? {
                let place: usize = Row(Cells::Postgres(row)).columns("given").number("place")?;
                changed[before + place - 1] = true;
            }
        }
        Ok(changed)
    }

    /// The set form of a statement, if it has one and there are rows enough for it.
    async fn for_many(
        &mut self,
        sql: &'static str,
        rows: usize,
        form: fn(&str, &[ColumnType]) -> Option<String>,
    ) -> Result<Option<Many>, StoreError> {
        if rows < 2 {
            return Ok(None);
        }
        let done = answered(self.answer_max, Many::prepare(self.connection(), sql, form)).await;
        self.note(done)
    }

    pub(crate) async fn query(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<Vec<Row>, StoreError> {
        let bound: Vec<Bound<'_>> = values.iter().map(Bound).collect();
        let bound: Vec<&(dyn ToSql + Sync)> = bound.iter().map(|value| value as &(dyn ToSql + Sync)).collect();
        let connection = self.connection();
        let asked = async {
            let statement = connection.prepare_cached(sql).await?;
            connection.query(&statement, &bound).await
        };
        let done = answered(self.answer_max, asked).await;
        Ok(self.note(done)?.into_iter().map(|row| Row(Cells::Postgres(row))).collect())
    }
}

impl Uncommitted {
    /// Nothing was kept for sure.
    fn undone(trouble: Trouble) -> Uncommitted {
        Uncommitted { error: trouble.error, undone: Some(trouble.kind) }
    }

    /// The commit was sent. Only where the server has said no is it sure that nothing was kept.
    fn after_sending(trouble: Trouble) -> Uncommitted {
        match trouble.kind {
            Kind::Refused | Kind::Contended | Kind::ReadOnly => Uncommitted::undone(trouble),
            Kind::Lost | Kind::Silent => {
                let why = match trouble.error {
                    StoreError::Unavailable { why } => why,
                    other => other.to_string(),
                };
                Uncommitted { error: StoreError::Unknown { why }, undone: None }
            }
        }
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
