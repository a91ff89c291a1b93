//! What an upgrade would do to a store, and the upgrade itself without a hub.

use serde::Serialize;
use sortie_rules::time::Millis;
use sortie_store::whole::Schema;
use sortie_store::{Location, Options, Store};

use super::fault::UpkeepError;
use crate::data_folder::DataFolder;
use crate::settings::Settings;

/// The schema of a store, what this program wants of it, and who may use it before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SchemaReport {
    /// `sqlite` or `postgres`.
    pub engine: &'static str,
    /// The newest migration of the store; none if nothing is there yet.
    pub database: Option<i64>,
    /// The newest migration that this program knows.
    pub program: i64,
    /// The oldest schema that a program must know to use the store as it is.
    pub oldest_program: i64,
    /// The same after what is pending.
    pub oldest_program_after: i64,
    /// Whether this program may use the store.
    pub usable: bool,
    /// Whether programs that the store has now may go on beside this one: an upgrade can go replica by replica.
    pub rolling: bool,
    /// What this program would do at its start.
    pub pending: Vec<Pending>,
}

/// A migration that the store has not had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Pending {
    /// Its number.
    pub version: i64,
    /// What it brings.
    pub name: &'static str,
    /// The oldest schema that a program must know after it.
    pub oldest_program: i64,
}

/// Looks, and changes nothing.
pub async fn schema_of(settings: &Settings) -> Result<SchemaReport, UpkeepError> {
    let location = settings.location();
    let schema = Schema::of(&location).await?;
    let pending = schema.pending.iter().map(|step| Pending {
        version: step.version,
        name: step.name,
        oldest_program: step.oldest_program,
    });
    Ok(SchemaReport {
        engine: super::back_up::engine(&location),
        database: schema.database,
        program: schema.program,
        oldest_program: schema.oldest_program,
        oldest_program_after: schema.oldest_program_after(),
        usable: schema.lets_this_program_in(),
        rolling: schema.lets_the_former_stay(),
        pending: pending.collect(),
    })
}

/// Takes every step that is pending. On SQLite no hub runs meanwhile; on PostgreSQL hubs may.
pub async fn migrate(settings: &Settings, now: Millis) -> Result<(), UpkeepError> {
    let location = settings.location();
    let _locked = match &location {
        Location::Sqlite(file) if !file.is_file() => return Err(UpkeepError::NoHub(settings.data.clone())),
        Location::Sqlite(_) => Some(DataFolder::open(&settings.data)?),
        Location::Postgres(_) => None,
    };
    Store::open(Options { location, readers: 1, now }).await?.close().await;
    Ok(())
}
