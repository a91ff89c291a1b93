//! Makes a hub of a backup: verified first, whole in the end or not at all.

use std::path::Path;

use sortie_rules::time::Millis;
use sortie_store::whole::{Hold, Source, Target, newest_schema};
use sortie_store::{Location, OpenError};

use super::archive::Verified;
use super::back_up::{engine, table_of};
use super::fault::UpkeepError;
use super::key_files::is_key_file;
use super::leap::{RESTORED_BY, leap, mark};
use super::manifest::Manifest;
use super::progress::Progress;
use super::staging::Staging;
use crate::clock::Entropy;
use crate::settings::Settings;

/// What came of a restore.
#[derive(Debug)]
pub struct Restored {
    /// The backup.
    pub manifest: Manifest,
    /// The engine that it is kept on now.
    pub engine: &'static str,
    /// How many rows there were, of all tables.
    pub rows: u64,
}

/// Restores a backup into the empty data folder, and the empty database, that the settings name.
pub async fn restore(
    settings: &Settings,
    file: &Path,
    now: Millis,
    told: &mut dyn FnMut(Progress),
) -> Result<Restored, UpkeepError> {
    let mut backup = Verified::of(file)?;
    let (schema, program) = (backup.manifest.schema, newest_schema());
    if schema > program {
        let version = backup.manifest.hub_version.clone();
        return Err(UpkeepError::Newer { backup: schema, version, program });
    }
    let staging = Staging::begin(&settings.data, hex::encode(Entropy::default().bytes::<16>()))?;
    let location = match settings.location() {
        Location::Sqlite(_) => Location::Sqlite(staging.path("sortie.db")),
        server @ Location::Postgres(_) => server,
    };
    let rows = match fill(settings, &location, &mut backup, &staging, now, told).await {
        Ok(rows) => rows,
        Err(why) => {
            // The folder is empty again; if it cannot be emptied, the next restore does that.
            if let Err(error) = staging.forget() {
                tracing::warn!(%error, "What this restore has written could not be removed");
            }
            return Err(why);
        }
    };
    staging.settle()?;
    Ok(Restored { engine: engine(&location), manifest: backup.manifest, rows })
}

/// Writes the keys beside their place and blobs into theirs, and fills the database. Returns how many rows there are.
async fn fill(
    settings: &Settings,
    location: &Location,
    backup: &mut Verified,
    staging: &Staging,
    now: Millis,
    told: &mut dyn FnMut(Progress),
) -> Result<u64, UpkeepError> {
    let members: Vec<String> = backup.manifest.members.iter().map(|member| member.name.clone()).collect();
    for (index, name) in members.iter().enumerate().filter(|(_, name)| is_key_file(name)) {
        staging.write(name, &backup.read(index)?)?;
    }
    super::blobs::put_back(settings, backup).await?;
    let manifest = backup.manifest.clone();
    if is_done(location, &mark(&staging.restore, &manifest)).await? {
        return Ok(manifest.tables.iter().map(|table| table.rows + table.waiting).sum());
    }
    let mut target = Target::make(location, manifest.schema, now).await?;
    for table in &manifest.tables {
        let columns = target.columns(&table.name).await?;
        // SQLite has no table of what waits for its link: it gets it there.
        if columns != table.columns && table.name != "audit_waiting" {
            let why = format!("the columns of `{}` are not those of schema {}", table.name, manifest.schema);
            return Err(UpkeepError::Other(why));
        }
    }
    let mut progress = Progress { tables: manifest.tables.len(), ..Progress::default() };
    for (index, name) in members.iter().enumerate() {
        let Some(table) = table_of(name) else { continue };
        let Some(place) = manifest.tables.iter().position(|known| known.name == table) else { continue };
        progress.rows += target.load(table, &backup.read(index)?).await?;
        progress = Progress { place: place + 1, ..progress };
        told(progress);
    }
    let arrived = target.tallies().await?.finish();
    if let Some((table, sent, arrived)) = manifest.difference(&arrived) {
        return Err(UpkeepError::Differs { table, sent, arrived });
    }
    let restore = staging.restore.clone();
    target.also(|tx| Box::pin(async move { leap(tx, &manifest, &restore, now).await })).await?;
    target.finish().await?;
    Ok(progress.rows)
}

/// Whether this very restore has filled the database before it was cut short.
async fn is_done(location: &Location, mark: &str) -> Result<bool, UpkeepError> {
    if matches!(location, Location::Sqlite(_)) {
        return Ok(false);
    }
    match Source::open(location, Hold::Moment).await {
        Ok(mut there) => Ok(there.remembers(RESTORED_BY).await?.as_deref() == Some(mark)),
        Err(OpenError::NoStore) => Ok(false),
        Err(other) => Err(other.into()),
    }
}
