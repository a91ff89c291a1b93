//! The end that rows come from: a database as of one moment.

use sortie_rules::ids::BlobId;

use super::reading::{Part, Reading};
use super::tables;
use crate::blobs::BlobRow;
use crate::errors::{OpenError, StoreError};
use crate::store::Location;
use crate::tx::Tx;
use crate::{audit, blobs, events, meta, postgres, sqlite};

/// How the database is held meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// As of one moment, while hubs go on writing.
    Moment,
    /// Nobody else uses it, and no hub can start on it. On SQLite the caller sees to that, by the lock of the
    /// data folder.
    Still,
}

/// Most events numbered, or entries sealed, in one statement.
const SETTLED_AT_ONCE: u32 = 5000;

/// Most blobs named at once.
const BLOBS_AT_ONCE: u32 = 1000;

/// A database under reading. It never changes what it reads.
#[derive(Debug)]
pub struct Source {
    tx: Tx,
    reading: Reading,
    schema: i64,
}

impl Source {
    /// Opens a database that is there.
    pub async fn open(location: &Location, hold: Hold) -> Result<Source, OpenError> {
        let mut tx = match location {
            Location::Sqlite(file) => Tx::on_sqlite(sqlite::snapshot(file)?, false),
            Location::Postgres(url) => Tx::on_postgres(postgres::snapshot(url, hold == Hold::Still).await?, false),
        };
        let unreadable = |why: StoreError| OpenError::Unreachable { what: "the database".into(), why: why.to_string() };
        if !tables::names(&mut tx).await.map_err(unreadable)?.iter().any(|name| name == "migrations") {
            return Err(OpenError::NoStore);
        }
        let schema = super::schema::applied(&mut tx).await.map_err(unreadable)?.ok_or(OpenError::NoStore)?;
        let reading = Reading::of(&mut tx, |_| true).await.map_err(unreadable)?;
        Ok(Source { tx, reading, schema })
    }

    /// Its schema: the newest migration that it has had.
    pub fn schema(&self) -> i64 {
        self.schema
    }

    /// The columns of a table, in the order in which lines have them; none if there is no such table.
    pub async fn columns(&mut self, table: &str) -> Result<Vec<String>, StoreError> {
        tables::columns(&mut self.tx, table).await
    }

    /// What it remembers under this key.
    pub async fn remembers(&mut self, key: &str) -> Result<Option<String>, StoreError> {
        meta::get(&mut self.tx, key).await
    }

    /// Blobs after this one that were in their place at that moment, in the order of their ids; none if these were all.
    pub async fn blobs(&mut self, after: BlobId) -> Result<Vec<BlobRow>, StoreError> {
        match self.columns("blobs").await?.is_empty() {
            true => Ok(Vec::new()),
            false => blobs::kept_after(&mut self.tx, after, BLOBS_AT_ONCE).await,
        }
    }

    /// The next rows; nothing after the last.
    pub async fn next(&mut self) -> Result<Option<Part>, StoreError> {
        self.reading.next(&mut self.tx).await
    }
}

/// Gives what is committed its numbers and links, so that nothing waits for them. In a transaction that is
/// committed afterwards; on PostgreSQL alone something can wait.
pub(crate) async fn settle(tx: &mut Tx) -> Result<(), StoreError> {
    let names = tables::names(tx).await?;
    let has = |name: &str| names.iter().any(|known| known == name);
    while has("events") && events::number_pending(tx, SETTLED_AT_ONCE).await? == u64::from(SETTLED_AT_ONCE) {}
    while has("audit_waiting") && audit::seal_waiting(tx, SETTLED_AT_ONCE).await? == u64::from(SETTLED_AT_ONCE) {}
    Ok(())
}
