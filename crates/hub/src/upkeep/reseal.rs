//! Seals the hub's keys in a PostgreSQL database with another master key, beside hubs that run: all of them in one
//! transaction, or none.

use std::path::Path;

use sortie_rules::audit::Action;
use sortie_rules::ids::DEFAULT_ORG;
use sortie_rules::time::Millis;
use sortie_store::{Location, OpenError, Options, Store, Tx};

use super::fault::UpkeepError;
use super::schema::schema_of;
use crate::audit::{self, Act};
use crate::events::{self, Record};
use crate::identity::{MasterKey, Resealed, is_there, make_master_key, reseal};
use crate::settings::Settings;

/// So often hubs may change the keys while they are to be sealed.
const TRIES_MAX: u32 = 10;

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sealed {
    /// How many keys there are.
    pub keys: usize,
    /// Whether they were sealed with the new master key already.
    pub was_done: bool,
}

/// Seals the keys with the master key in `file`, which is made if it is not there. They were sealed with
/// `in_place_of`. Doing it again changes nothing.
pub async fn seal_anew(
    settings: &Settings,
    file: &Path,
    in_place_of: &Path,
    now: Millis,
) -> Result<Sealed, UpkeepError> {
    let location = settings.location();
    if matches!(location, Location::Sqlite(_)) {
        return Err(UpkeepError::Unsealed);
    }
    let schema = schema_of(settings).await?;
    if schema.database.is_none() {
        return Err(OpenError::NoStore.into());
    }
    if !schema.pending.is_empty() {
        return Err(UpkeepError::Pending);
    }
    let old = MasterKey::read(in_place_of)?;
    let store = Store::open(Options { location, readers: 1, now }).await?;
    let done = in_store(&store, file, &old, now).await;
    store.close().await;
    done.and_then(|came| match came {
        Resealed::Now(keys) => Ok(Sealed { keys, was_done: false }),
        Resealed::Before(keys) => Ok(Sealed { keys, was_done: true }),
        Resealed::Unopened => Err(UpkeepError::OtherMasterKey(in_place_of.to_owned())),
        Resealed::Nothing => Err(UpkeepError::NoKeys),
        Resealed::Changed => Err(UpkeepError::KeysMove),
    })
}

async fn in_store(store: &Store, file: &Path, old: &MasterKey, now: Millis) -> Result<Resealed, UpkeepError> {
    if !is_there(file).map_err(UpkeepError::io(file.display()))? {
        // No key is made for keys that the other one does not open.
        let same = old.clone();
        let came = store.read(move |tx| Box::pin(async move { reseal(tx, &same, &same).await })).await?;
        if !matches!(came, Resealed::Before(_)) {
            return Ok(came);
        }
        make_master_key(file)?;
    }
    // What is used is what the file holds.
    let new = MasterKey::read(file)?;
    let mut came = Resealed::Changed;
    for _ in 0..TRIES_MAX {
        let (old, new) = (old.clone(), new.clone());
        came = store.write(move |tx| Box::pin(async move { once(tx, &old, &new, now).await })).await?;
        if came != Resealed::Changed {
            break;
        }
    }
    Ok(came)
}

/// Seals them, and writes down that it was done.
async fn once(tx: &mut Tx, old: &MasterKey, new: &MasterKey, now: Millis) -> Result<Resealed, UpkeepError> {
    let came = reseal(tx, old, new).await?;
    if let Resealed::Now(keys) = came {
        let data = serde_json::json!({ "keys": keys });
        events::record(tx, Record::new(DEFAULT_ORG, now, "keys.resealed", "hub").data(&data)).await?;
        audit::record(tx, Act::by_hub(DEFAULT_ORG, Action::KeysReseal, now).changes(data)).await?;
    }
    Ok(came)
}
