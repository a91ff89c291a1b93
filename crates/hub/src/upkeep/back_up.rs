//! Takes a backup of a hub, whether it runs or not.

use std::io::Write;
use std::path::Path;

use sortie_rules::time::Millis;
use sortie_store::Location;
use sortie_store::whole::{Hold, Source, TABLES, Tallies};

use super::archive::Writer;
use super::fault::UpkeepError;
use super::key_files;
use super::manifest::{FORMAT, Manifest, TableRecord};
use super::progress::Progress;
use crate::clock::Entropy;
use crate::data_folder::is_whole;
use crate::settings::Settings;

/// Writes a backup of the hub with these settings: all that its store holds, as of one moment, and its keys.
pub async fn back_up(
    settings: &Settings,
    to: impl Write,
    now: Millis,
    told: &mut dyn FnMut(Progress),
) -> Result<Manifest, UpkeepError> {
    let location = located(settings)?;
    is_whole(&settings.data)?;
    let mut source = Source::open(&location, Hold::Moment).await?;
    let mut writer = Writer::begin(to)?;
    let (mut tallies, mut progress, mut place) = (Tallies::default(), Progress::default(), 0_u32);
    while let Some(part) = source.next().await? {
        place = if part.table == progress.table { place + 1 } else { 1 };
        writer.add(&member(part.table, place), &part.lines)?;
        tallies.add(&part);
        progress = progress.after(&part);
        told(progress);
    }
    // After the store: keys that are older than what the store has seen would be refused at the start.
    for (name, bytes) in key_files::read(&settings.data)? {
        writer.add(&name, &bytes)?;
    }
    let blobs = super::blobs::take_along(settings, &mut source, &mut writer).await?;
    let mut counted = tallies.finish();
    let mut tables = Vec::new();
    for table in TABLES {
        let columns = source.columns(table.name).await?;
        if columns.is_empty() {
            continue;
        }
        let tally = counted.remove(table.name);
        let (rows, sha256, waiting) =
            tally.map_or_else(Default::default, |tally| (tally.rows, tally.sha256, tally.waiting));
        tables.push(TableRecord { name: table.name.to_owned(), columns, rows, sha256, waiting });
    }
    writer.end(|members| Manifest {
        format: FORMAT,
        id: hex::encode(Entropy::default().bytes::<16>()),
        created_at: now,
        hub_version: env!("CARGO_PKG_VERSION").to_owned(),
        engine: engine(&location).to_owned(),
        schema: source.schema(),
        tables,
        blobs,
        members,
    })
}

/// Where the store of a hub is that has been started before.
pub(super) fn located(settings: &Settings) -> Result<Location, UpkeepError> {
    let location = settings.location();
    match &location {
        Location::Sqlite(file) if !file.is_file() => Err(UpkeepError::NoHub(settings.data.clone())),
        _ => Ok(location),
    }
}

/// What an engine is called.
pub(super) fn engine(location: &Location) -> &'static str {
    match location {
        Location::Sqlite(_) => "sqlite",
        Location::Postgres(_) => "postgres",
    }
}

/// The name of a part of a table.
fn member(table: &str, place: u32) -> String {
    format!("tables/{table}.{place:06}")
}

/// The table that a member is a part of.
pub(super) fn table_of(member: &str) -> Option<&str> {
    let path = Path::new(member.strip_prefix("tables/")?);
    path.file_stem()?.to_str()
}
