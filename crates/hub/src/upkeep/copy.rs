//! Copies a store into an empty one, of either engine, and proves that everything arrived.

use std::fs;
use std::path::{Path, PathBuf};

use sortie_rules::time::Millis;
use sortie_store::Location;
use sortie_store::whole::{Hold, Source, Tallies, Target};

use super::back_up::engine;
use super::fault::UpkeepError;
use super::manifest::difference;
use super::progress::Progress;
use crate::data_folder::DataFolder;

/// One end of a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The SQLite database in this data folder of a hub.
    DataFolder(PathBuf),
    /// The PostgreSQL database of this address.
    Server(String),
}

/// What was copied.
#[derive(Debug)]
pub struct Copied {
    /// The engine that it came from.
    pub from: &'static str,
    /// The engine that it is on now.
    pub to: &'static str,
    /// The newest migration of both.
    pub schema: i64,
    /// How many blobs the rows refer to. They stay where they are.
    pub blobs: u64,
    /// All tables that hold something.
    pub tables: Vec<CopiedTable>,
}

/// A table that arrived.
#[derive(Debug)]
pub struct CopiedTable {
    /// What it is called.
    pub name: &'static str,
    /// How many rows both have.
    pub rows: u64,
    /// The SHA-256 of their lines, in hex.
    pub sha256: String,
}

/// The name of an SQLite database until it is whole.
const COPYING: &str = "sortie.db.copying";
const DATABASE: &str = "sortie.db";

/// Copies everything. No hub runs on either meanwhile, and none can start.
pub async fn copy_store(
    from: &Place,
    to: &Place,
    now: Millis,
    told: &mut dyn FnMut(Progress),
) -> Result<Copied, UpkeepError> {
    if from == to {
        return Err(UpkeepError::Other("a store cannot be copied onto itself".to_owned()));
    }
    let (read, _locked) = source(from)?;
    let (written, target_folder) = target(to)?;
    let done = transfer(&read, &written, now, told).await;
    let Some(folder) = target_folder else { return done };
    let path = |name: &str| folder.file(name);
    if done.is_err() {
        let _nothing_there = fs::remove_file(path(COPYING));
        return done;
    }
    let placed = fs::rename(path(COPYING), path(DATABASE));
    let placed = placed.and_then(|()| fs::File::open(path(""))?.sync_all());
    placed.map_err(UpkeepError::io(path(DATABASE).display()))?;
    done
}

async fn transfer(
    from: &Location,
    to: &Location,
    now: Millis,
    told: &mut dyn FnMut(Progress),
) -> Result<Copied, UpkeepError> {
    let mut source = Source::open(from, Hold::Still).await?;
    let mut target = Target::make(to, source.schema(), now).await?;
    let (mut tallies, mut progress) = (Tallies::default(), Progress::default());
    while let Some(part) = source.next().await? {
        if part.table != progress.table && target.columns(part.table).await? != source.columns(part.table).await? {
            let why = format!("the columns of `{}` differ between the engines; this should be reported", part.table);
            return Err(UpkeepError::Other(why));
        }
        target.load(part.table, &part.lines).await?;
        tallies.add(&part);
        progress = progress.after(&part);
        told(progress);
    }
    let (sent, arrived) = (tallies.finish(), target.tallies().await?.finish());
    let figures = sent.iter().map(|(name, tally)| (*name, tally.rows, &*tally.sha256, tally.waiting));
    if let Some((table, sent, arrived)) = difference(figures, &arrived) {
        return Err(UpkeepError::Differs { table, sent, arrived });
    }
    let schema = source.schema();
    target.finish().await?;
    let blobs = sent.get("blobs").map_or(0, |tally| tally.rows);
    let tables = sent.into_iter().map(|(name, tally)| CopiedTable { name, rows: tally.rows, sha256: tally.sha256 });
    Ok(Copied { from: engine(from), to: engine(to), schema, blobs, tables: tables.collect() })
}

/// Where to read, and the lock that keeps hubs out.
fn source(from: &Place) -> Result<(Location, Option<DataFolder>), UpkeepError> {
    match from {
        Place::Server(url) => Ok((Location::Postgres(url.clone()), None)),
        Place::DataFolder(folder) => {
            let file = folder.join(DATABASE);
            if !file.is_file() {
                return Err(UpkeepError::NoHub(folder.clone()));
            }
            Ok((Location::Sqlite(file), Some(DataFolder::open(folder)?)))
        }
    }
}

/// Where to write, and the lock that keeps hubs out.
fn target(to: &Place) -> Result<(Location, Option<DataFolder>), UpkeepError> {
    match to {
        Place::Server(url) => Ok((Location::Postgres(url.clone()), None)),
        Place::DataFolder(folder) => {
            is_free(folder)?;
            let locked = DataFolder::open(folder)?;
            is_free(folder)?;
            let file = locked.file(COPYING);
            if file.exists() {
                // What a copy that was cut short has left.
                fs::remove_file(&file).map_err(UpkeepError::io(file.display()))?;
            }
            Ok((Location::Sqlite(file), Some(locked)))
        }
    }
}

fn is_free(folder: &Path) -> Result<(), UpkeepError> {
    match folder.join(DATABASE).exists() {
        true => Err(UpkeepError::NotEmpty { data: folder.to_owned(), found: DATABASE.to_owned() }),
        false => Ok(()),
    }
}
