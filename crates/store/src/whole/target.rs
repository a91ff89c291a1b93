//! The end that rows go to: an empty database, which holds all of them when this is finished, or nothing.

use std::collections::HashMap;
use std::path::PathBuf;

use sortie_rules::ids::OrgId;
use sortie_rules::time::Millis;

use super::lines;
use super::reading::Reading;
use super::tables::{self, Order, TABLES, statement};
use super::tally::Tallies;
use crate::audit::NewEntry;
use crate::errors::{OpenError, StoreError};
use crate::row::Cell;
use crate::store::{BoxFuture, Location};
use crate::tx::Tx;
use crate::value::Value;
use crate::{audit, migrations, postgres, sqlite};

/// A database that is being filled.
#[derive(Debug)]
pub struct Target {
    tx: Tx,
    /// The file, on SQLite.
    file: Option<PathBuf>,
    inserts: HashMap<&'static str, Insert>,
}

#[derive(Debug, Clone, Copy)]
struct Insert {
    sql: &'static str,
    width: usize,
}

impl Target {
    /// Makes an empty database of this schema. On SQLite the file must not be there, on PostgreSQL no table.
    pub async fn make(location: &Location, schema: i64, now: Millis) -> Result<Target, OpenError> {
        let unusable = |why: StoreError| OpenError::Unreachable { what: "the database".into(), why: why.to_string() };
        let (mut tx, file) = match location {
            Location::Sqlite(file) => {
                let mut connection = sqlite::empty(file)?;
                migrations::on_sqlite(&mut connection, now, schema)?;
                connection.batch("begin immediate").map_err(unusable)?;
                (Tx::on_sqlite(connection, true), Some(file.clone()))
            }
            Location::Postgres(url) => {
                let mut transaction = postgres::empty(url).await?;
                migrations::on_postgres(&mut transaction, now, schema).await?;
                (Tx::on_postgres(transaction, true), None)
            }
        };
        clear(&mut tx).await.map_err(unusable)?;
        Ok(Target { tx, file, inserts: HashMap::new() })
    }

    /// The columns of a table, in the order in which lines must have them; none if there is no such table.
    pub async fn columns(&mut self, table: &str) -> Result<Vec<String>, StoreError> {
        tables::columns(&mut self.tx, table).await
    }

    /// Puts rows into a table. Returns how many.
    pub async fn load(&mut self, table: &str, text: &[u8]) -> Result<u64, StoreError> {
        let unknown = || StoreError::Bug { why: format!("there is no table `{table}`") };
        let table = tables::table(table).ok_or_else(unknown)?;
        if table.order == Order::Arrival && !self.tx.is_postgres() {
            return self.hand_in(table.name, text);
        }
        let insert = match self.inserts.get(table.name) {
            Some(insert) => *insert,
            None => self.prepare(table.name).await?,
        };
        let rows = lines::read(table.name, text, insert.width)?;
        let values: Vec<Vec<Value<'_>>> = rows.iter().map(|row| row.iter().map(lines::value).collect()).collect();
        self.tx.execute_each(insert.sql, &values).await
    }

    /// Looks at what has been put in.
    pub async fn tallies(&mut self) -> Result<Tallies, StoreError> {
        let mut reading = Reading::of(&mut self.tx, |_| true).await?;
        let mut tallies = Tallies::default();
        while let Some(part) = reading.next(&mut self.tx).await? {
            tallies.add(&part);
        }
        Ok(tallies)
    }

    /// Runs a verb in the same transaction.
    pub async fn also<T, E>(
        &mut self,
        verb: impl for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>>,
    ) -> Result<T, E> {
        verb(&mut self.tx).await
    }

    /// Keeps it: everything is on disk when this returns.
    pub async fn finish(mut self) -> Result<(), StoreError> {
        if let Some(failure) = self.tx.take_failure() {
            return Err(failure);
        }
        let entries = self.tx.take_entries();
        let Some(file) = self.file else {
            let committed = self.tx.into_postgres().commit(&entries).await;
            return committed.map_err(|uncommitted| uncommitted.error);
        };
        audit::seal(&mut self.tx, entries).await?;
        self.tx.sqlite().batch("commit; pragma optimize")?;
        drop(self.tx);
        let flushed = std::fs::File::open(&file).and_then(|file| file.sync_all());
        flushed.map_err(|why| StoreError::Unavailable { why: format!("{}: {why}", file.display()) })
    }

    async fn prepare(&mut self, table: &'static str) -> Result<Insert, StoreError> {
        let columns = tables::columns(&mut self.tx, table).await?;
        if columns.is_empty() {
            return Err(StoreError::Bug { why: format!("this schema has no table `{table}`") });
        }
        let places: Vec<String> = (1..=columns.len()).map(|number| format!("${number}")).collect();
        let text = format!("insert into {table} ({}) values ({})", columns.join(", "), places.join(", "));
        let insert = Insert { sql: statement(text), width: columns.len() };
        self.inserts.insert(table, insert);
        Ok(insert)
    }

    /// Entries that waited for their link get it here: the one writer gives it before it commits.
    fn hand_in(&mut self, table: &'static str, text: &[u8]) -> Result<u64, StoreError> {
        let rows = lines::read(table, text, 2)?;
        let count = rows.len() as u64;
        for row in rows {
            let [Cell::Text(entry), Cell::Text(org)] = &row[..] else {
                return Err(StoreError::Corrupt { table, column: "row", why: "is no entry".to_owned() });
            };
            let org: OrgId = org.parse().map_err(|_| StoreError::Corrupt {
                table,
                column: "org",
                why: format!("is not an id ({org})"),
            })?;
            self.tx.hand_in(NewEntry::new(org, entry.clone()))?;
        }
        Ok(count)
    }
}

/// Takes out what migrations put into tables: those rows come with the others.
async fn clear(tx: &mut Tx) -> Result<(), StoreError> {
    for table in TABLES.iter().rev() {
        if tables::columns(tx, table.name).await?.is_empty() {
            continue;
        }
        let any = tx.query(statement(format!("select cast(1 as bigint) from {} limit 1", table.name)), &[]).await?;
        if !any.is_empty() {
            tx.execute(statement(format!("delete from {}", table.name)), &[]).await?;
        }
    }
    Ok(())
}
