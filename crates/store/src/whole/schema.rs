//! What an upgrade would do: the schema that a database has, the one that this program wants, and who may use
//! it before and after.

use super::source::{Hold, Source};
use crate::errors::{OpenError, StoreError};
use crate::migrations;
use crate::store::Location;
use crate::tx::Tx;

/// A step that a database has not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PendingStep {
    /// Its number.
    pub version: i64,
    /// What it brings.
    pub name: &'static str,
    /// The oldest schema that a program must know to use the database after it.
    pub oldest_program: i64,
}

/// The schema of a database, and that of this program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema {
    /// The newest step that the database has taken; none if nothing is there yet.
    pub database: Option<i64>,
    /// The newest step that this program knows.
    pub program: i64,
    /// The oldest schema that a program must know to use the database as it is.
    pub oldest_program: i64,
    /// What this program would do at its start.
    pub pending: Vec<PendingStep>,
}

impl Schema {
    /// Looks at a database and changes nothing.
    pub async fn of(location: &Location) -> Result<Schema, OpenError> {
        let program = newest_schema();
        let all = |after: i64| migrations::steps_after(after);
        let nothing = Schema { database: None, program, oldest_program: 0, pending: all(0) };
        if matches!(location, Location::Sqlite(file) if !file.exists()) {
            return Ok(nothing);
        }
        let mut source = match Source::open(location, Hold::Moment).await {
            Err(OpenError::NoStore) => return Ok(nothing),
            opened => opened?,
        };
        let unreadable = |why: StoreError| OpenError::Unreachable { what: "the database".into(), why: why.to_string() };
        let database = source.schema();
        let oldest = source.remembers("oldest_program_schema").await.map_err(unreadable)?;
        let oldest_program = migrations::oldest_program_of(database, oldest.as_deref());
        Ok(Schema { database: Some(database), program, oldest_program, pending: all(database) })
    }

    /// Whether this program may use the database, after what is pending.
    pub fn lets_this_program_in(&self) -> bool {
        self.database.is_none_or(|database| database <= self.program || self.oldest_program <= self.program)
    }

    /// The oldest schema that a program must know to use the database after what is pending.
    pub fn oldest_program_after(&self) -> i64 {
        self.pending.last().map_or(self.oldest_program, |step| step.oldest_program)
    }

    /// Whether a program that fits the database as it is can go on beside this one.
    pub fn lets_the_former_stay(&self) -> bool {
        self.database.is_none_or(|database| self.oldest_program_after() <= database)
    }
}

/// The newest schema that this program knows.
pub fn newest_schema() -> i64 {
    migrations::newest_known()
}

/// The newest step that a database has taken.
pub(super) async fn applied(tx: &mut Tx) -> Result<Option<i64>, StoreError> {
    let row = tx.query_one_or_none(migrations::NEWEST_APPLIED, &[]).await?;
    row.map_or(Ok(None), |row| row.columns("migrations").int_or_none("version"))
}
