//! Opens the safe, and changes what is in it.

use sortie_store::{Store, hub_keys};

use super::{Contents, MasterKey};
use crate::data_folder::Files;
use crate::identity::AuthorityError;

/// What lies in a safe that has all a hub needs.
const RING: &str = "keys/ring.json";

/// Where the hub's own keys are kept.
#[derive(Debug, Clone)]
pub(crate) enum Safe {
    /// In the folder `keys/` of the data folder.
    Folder(Files),
    /// In the database, sealed.
    Database(Store, MasterKey),
}

impl Safe {
    /// Reads all that is in it. [`AuthorityError::Sealed`] if the master key does not open it.
    pub(crate) async fn open(&self) -> Result<Contents, AuthorityError> {
        match self {
            Safe::Folder(files) => in_folder(files),
            Safe::Database(store, master) => {
                let (change, sealed) = store.read(|tx| Box::pin(async move { hub_keys::all(tx).await })).await?;
                let opened = master.open_all_with_the_file(&sealed);
                let entries = opened.map_err(|why| AuthorityError::Sealed { change, why })?;
                Ok(Contents { entries, change })
            }
        }
    }

    /// Puts some in, in this order, and then takes some out. In a folder each step stands by itself; in a database
    /// all or none, and none if anything was changed since `before`. What was sealed with another master key was
    /// changed, so that nothing is ever put beside it that this one has sealed.
    pub(crate) async fn change(
        &self,
        before: &Contents,
        put: Vec<(String, Vec<u8>)>,
        remove: Vec<String>,
    ) -> Result<Contents, AuthorityError> {
        let mut after = before.with(&put);
        after.entries.retain(|name, _| !remove.contains(name));
        match self {
            Safe::Folder(files) => {
                put.iter().try_for_each(|(name, bytes)| files.write(name, bytes))?;
                remove.iter().try_for_each(|name| files.remove(name))?;
            }
            Safe::Database(store, master) => {
                let from = before.change;
                let sealed = master.seal_all(put);
                let is_done = store
                    .write(move |tx| Box::pin(async move { hub_keys::change(tx, from, &sealed, &remove).await }))
                    .await?;
                if !is_done {
                    return Err(AuthorityError::Changed);
                }
                after.change += 1;
            }
        }
        Ok(after)
    }

    /// Brings in what lies in the other one, if that is newer than what lies here: a hub that had its keys there, on
    /// another engine perhaps, and may have rotated them since it was here.
    pub(crate) async fn take_over(&self, other: &Safe) -> Result<(), AuthorityError> {
        let (own, theirs) = (self.open().await?, other.open().await?);
        if ring_version(&theirs) <= ring_version(&own) {
            return Ok(());
        }
        let gone = own.names().filter(|name| theirs.get(name).is_none()).map(str::to_owned).collect();
        // The ring comes last: with it, the rest is there.
        let (ring, mut put): (Vec<_>, Vec<_>) = theirs.entries.into_iter().partition(|(name, _)| name == RING);
        put.extend(ring);
        match self.change(&own, put, gone).await {
            Ok(_) => tracing::info!(from = other.place(), to = self.place(), "The hub's keys were brought over"),
            // Another hub has its keys there by now, and they stand.
            Err(AuthorityError::Changed) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn place(&self) -> &'static str {
        match self {
            Safe::Folder(_) => "the folder keys/",
            Safe::Database(..) => "the database, sealed",
        }
    }
}

/// The version of the ring that lies there; 0 if there is none, or none that can be read.
fn ring_version(contents: &Contents) -> u64 {
    let ring = contents.get(RING).and_then(|text| serde_json::from_slice::<serde_json::Value>(text).ok());
    ring.and_then(|file| file["ring"]["version"].as_u64()).unwrap_or(0)
}

fn in_folder(files: &Files) -> Result<Contents, AuthorityError> {
    let mut contents = Contents::default();
    for name in files.list("keys")? {
        let name = format!("keys/{name}");
        // What a crash left half written is nothing.
        if name.ends_with(".writing") {
            continue;
        }
        if let Some(bytes) = files.read(&name)? {
            contents.entries.insert(name, bytes);
        }
    }
    Ok(contents)
}
