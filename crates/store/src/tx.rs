//! One transaction, whichever engine it runs on.

use crate::audit::NewEntry;
use crate::errors::StoreError;
use crate::row::Row;
use crate::value::Value;
use crate::{postgres, sqlite};

/// The transaction in which a verb reads and writes. Table functions take it as `&mut Tx`; raw SQL
/// through it is for them and for tests.
///
/// After a statement has failed, the transaction takes no more of them and is rolled back even if
/// the verb returns `Ok`: PostgreSQL behaves so, and SQLite is held to the same.
#[derive(Debug)]
pub struct Tx {
    engine: Engine,
    /// Whether it is of those that write.
    writes: bool,
    failed: Option<StoreError>,
    /// What goes into the audit log when this commits.
    entries: Vec<NewEntry>,
}

#[derive(Debug)]
enum Engine {
    Sqlite(sqlite::Connection),
    Postgres(postgres::Transaction),
}

impl Tx {
    pub(crate) fn on_sqlite(connection: sqlite::Connection, writes: bool) -> Tx {
        Tx { engine: Engine::Sqlite(connection), writes, failed: None, entries: Vec::new() }
    }

    pub(crate) fn on_postgres(transaction: postgres::Transaction, writes: bool) -> Tx {
        Tx { engine: Engine::Postgres(transaction), writes, failed: None, entries: Vec::new() }
    }

    /// Runs a statement. Returns how many rows it changed.
    pub async fn execute(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<u64, StoreError> {
        self.check()?;
        self.show(sql);
        let done = match &mut self.engine {
            Engine::Sqlite(connection) => connection.execute(sql, values),
            Engine::Postgres(transaction) => transaction.execute(sql, values).await,
        };
        self.remember(done)
    }

    /// Runs a statement once per row of values. Returns how many rows were changed in all. Cheaper
    /// than as many calls of [`Tx::execute`]: on PostgreSQL the rows travel with one statement
    /// (`set_form`), or else without waiting for each other.
    ///
    /// No two rows of values may be for the same row of the table, since each must meet the table as it was.
    pub async fn execute_each<'v, R: AsRef<[Value<'v>]> + Sync>(
        &mut self,
        sql: &'static str,
        rows: &[R],
    ) -> Result<u64, StoreError> {
        self.check()?;
        self.show(sql);
        let done = match &mut self.engine {
            Engine::Sqlite(connection) => {
                rows.iter().try_fold(0, |sum, row| Ok(sum + connection.execute(sql, row.as_ref())?))
            }
            Engine::Postgres(transaction) => transaction.execute_each(sql, rows).await,
        };
        self.remember(done)
    }

    /// Runs a query and returns all its rows. Every query of the store is bounded by a limit or by
    /// what it asks for.
    pub async fn query(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<Vec<Row>, StoreError> {
        self.check()?;
        self.show(sql);
        let done = match &mut self.engine {
            Engine::Sqlite(connection) => connection.query(sql, values),
            Engine::Postgres(transaction) => transaction.query(sql, values).await,
        };
        self.remember(done)
    }

    /// Runs a query, or a statement that returns something, once per row of values. Returns all rows that come
    /// back, in no order. Values as for [`Tx::execute_each`].
    pub async fn query_each<const N: usize>(
        &mut self,
        sql: &'static str,
        rows: &[[Value<'_>; N]],
    ) -> Result<Vec<Row>, StoreError> {
        self.check()?;
        self.show(sql);
        let done = match &mut self.engine {
            Engine::Sqlite(connection) => rows.iter().try_fold(Vec::new(), |mut all, row| {
                all.extend(connection.query(sql, row)?);
                Ok(all)
            }),
            Engine::Postgres(transaction) => transaction.query_each(sql, rows).await,
        };
        self.remember(done)
    }

    /// Runs a statement that changes at most one row, once per row of values. Says of each whether it did. Values as
    /// for [`Tx::execute_each`].
    pub async fn change_each<const N: usize>(
        &mut self,
        sql: &'static str,
        rows: &[[Value<'_>; N]],
    ) -> Result<Vec<bool>, StoreError> {
        self.check()?;
        self.show(sql);
        let done = match &mut self.engine {
            Engine::Sqlite(connection) => rows.iter().map(|row| Ok(connection.execute(sql, row)? > 0)).collect(),
            Engine::Postgres(transaction) => transaction.change_each(sql, rows).await,
        };
        self.remember(done)
    }

    /// Runs a query that gives at most one row.
    pub async fn query_one_or_none(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
    ) -> Result<Option<Row>, StoreError> {
        let mut rows = self.query(sql, values).await?;
        debug_assert!(rows.len() <= 1, "more than one row for: {sql}");
        Ok(rows.pop())
    }

    /// Which engine this runs on; for the few places in `dialect` where a text must differ.
    pub(crate) fn is_postgres(&self) -> bool {
        matches!(self.engine, Engine::Postgres(_))
    }

    /// Takes an entry for the audit log.
    pub(crate) fn hand_in(&mut self, entry: NewEntry) -> Result<(), StoreError> {
        self.check()?;
        if !self.writes {
            let why = "a transaction that only reads has something for the audit log".to_owned();
            return self.remember(Err(StoreError::Bug { why }));
        }
        self.entries.push(entry);
        Ok(())
    }

    /// How many entries have been handed in.
    pub(crate) fn handed_in(&self) -> usize {
        self.entries.len()
    }

    /// Forgets the entries that were handed in after the first so many: what they tell does not stand.
    pub(crate) fn keep_entries(&mut self, count: usize) {
        self.entries.truncate(count);
    }

    /// The entries that were handed in, to be given their links, or a place among those that wait for one.
    pub(crate) fn take_entries(&mut self) -> Vec<NewEntry> {
        std::mem::take(&mut self.entries)
    }

    /// The SQLite connection. Only the threads that made this transaction from one call it.
    pub(crate) fn sqlite(&mut self) -> &mut sqlite::Connection {
        match &mut self.engine {
            Engine::Sqlite(connection) => connection,
            Engine::Postgres(_) => unreachable!("SQLite's threads only hold SQLite's transactions"),
        }
    }

    /// The PostgreSQL transaction. Only the task that made this transaction from one calls it.
    pub(crate) fn into_postgres(self) -> postgres::Transaction {
        match self.engine {
            Engine::Postgres(transaction) => transaction,
            Engine::Sqlite(_) => unreachable!("PostgreSQL's tasks only hold PostgreSQL's transactions"),
        }
    }

    /// The first failure since the last call, if any; the next verb starts clean.
    pub(crate) fn take_failure(&mut self) -> Option<StoreError> {
        self.failed.take()
    }

    /// Every statement can be seen in the log, at the level `trace`. Its values are nobody's business.
    fn show(&self, sql: &'static str) {
        let engine = if self.is_postgres() { "postgres" } else { "sqlite" };
        tracing::trace!(target: "sortie_store::sql", engine, sql);
    }

    fn check(&self) -> Result<(), StoreError> {
        match (&self.failed, &self.engine) {
            (Some(first), _) => Err(first.clone()),
            (None, Engine::Sqlite(connection)) => connection.check_transaction(),
            (None, Engine::Postgres(_)) => Ok(()),
        }
    }

    fn remember<T>(&mut self, done: Result<T, StoreError>) -> Result<T, StoreError> {
        if let Err(failure) = &done {
            self.failed = Some(failure.clone());
        }
        done
    }
}
