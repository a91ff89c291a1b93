//! What is known of the place of blobs: whether there is one, whether it is the right one, and whether it answers.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use sortie_rules::limits::BLOB_WAITED_MAX;
use sortie_store::Store;

use super::alone::Alone;
use super::belonging::{Unfit, settle};
use super::place::Place;
use super::trouble::{BlobsError, Trouble};
use crate::clock::Entropy;
use crate::settings::Settings;

/// The place of blobs, if there is one.
#[derive(Debug)]
pub(crate) struct Blobs {
    place: Option<Place>,
    /// Which place the operator has given up.
    pub(super) in_place_of: Option<String>,
    /// Nobody else's, if it must be.
    pub(crate) alone: Option<Alone>,
    /// The place was seen to be this database's.
    belongs: AtomicBool,
    trouble: Mutex<Option<Trouble>>,
}

impl Blobs {
    /// The place that the settings name. It is tried out: one that says no is an error, one that is away is not, for
    /// everything else can be done without it.
    pub(crate) async fn open(settings: &Settings, store: &Store, entropy: &Entropy) -> Result<Blobs, BlobsError> {
        let with_server = store.engine() == "postgres";
        let place = Place::of(&settings.blobs, &settings.data, with_server)?;
        let must_be_alone =
            with_server && !settings.blobs.shared_folder && place.as_ref().is_some_and(Place::is_folder);
        let alone = if must_be_alone { Some(Alone::take(store, entropy).await?) } else { None };
        let blobs = Blobs {
            place,
            in_place_of: settings.blobs.in_place_of.clone(),
            alone,
            belongs: AtomicBool::new(false),
            trouble: Mutex::default(),
        };
        match (blobs.look(store, entropy).await, &blobs.alone) {
            (Ok(()), _) => Ok(blobs),
            (Err(why), Some(alone)) => {
                alone.let_go(store).await?;
                Err(why)
            }
            (Err(why), None) => Err(why),
        }
    }

    /// The first look at the place.
    async fn look(&self, store: &Store, entropy: &Entropy) -> Result<(), BlobsError> {
        let Some(place) = &self.place else {
            let any = store.read(|tx| Box::pin(async move { sortie_store::blobs::any(tx).await })).await?;
            return if any { Err(BlobsError::Nowhere) } else { Ok(()) };
        };
        let unusable = |why: String| BlobsError::Unusable { place: place.told().to_owned(), why };
        let tried = match tokio::time::timeout(BLOB_WAITED_MAX.to_std(), try_out(place, entropy)).await {
            Ok(tried) => tried,
            Err(_) => Err(Trouble::Away(format!("it gave no answer within {} s", BLOB_WAITED_MAX.0 / 1000))),
        };
        match tried {
            Err(Trouble::Refused(why)) => return Err(unusable(why)),
            Err(away) => {
                self.note(Err(&away));
                return Ok(());
            }
            Ok(()) => {}
        }
        match settle(self, place, store, entropy, false).await {
            Ok(()) | Err(Unfit::Trouble(Trouble::Away(_))) => Ok(()),
            Err(Unfit::Trouble(Trouble::Refused(why))) => Err(unusable(why)),
            Err(Unfit::Wrong(why)) => Err(BlobsError::Wrong { place: place.told().to_owned(), why }),
            Err(Unfit::Store(error)) => Err(error.into()),
        }
    }

    /// The place.
    pub(crate) fn place(&self) -> Option<&Place> {
        self.place.as_ref()
    }

    /// What is wrong with it, if anything is, in a sentence.
    pub(crate) fn trouble(&self) -> Option<String> {
        let lost = self.alone.as_ref().is_some_and(Alone::is_lost).then(|| BlobsError::SeveralHubs.to_string());
        let trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        lost.or_else(|| trouble.as_ref().map(ToString::to_string))
    }

    /// Whether the place was seen to be this database's.
    pub(super) fn belongs(&self) -> bool {
        self.belongs.load(Ordering::Relaxed)
    }

    /// Notes whether it is.
    pub(super) fn set_belongs(&self, belongs: bool) {
        self.belongs.store(belongs, Ordering::Relaxed);
    }

    /// Notes how a call went. An outage is told once, and its end.
    pub(super) fn note(&self, went: Result<(), &Trouble>) {
        let Some(place) = &self.place else { return };
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        match (&*trouble, went) {
            (None, Err(why)) => tracing::warn!(
                place = place.told(), %why,
                "Blobs are away; logs stay in the database until they are back, and archived ones cannot be read"
            ),
            (Some(_), Ok(())) => tracing::info!(place = place.told(), "Blobs are back"),
            _ => {}
        }
        *trouble = went.err().cloned();
        metrics::gauge!("sortie_blobs_up").set(f64::from(u8::from(trouble.is_none())));
    }
}

/// Writes, reads and removes a blob of no use.
async fn try_out(place: &Place, entropy: &Entropy) -> Result<(), Trouble> {
    let name = format!("probe-{}", hex::encode(entropy.bytes::<8>()));
    let bytes = Bytes::from_static(b"written at the start of a hub, read and removed\n");
    place.put(&name, bytes.clone()).await?;
    if place.get(&name, BLOB_WAITED_MAX).await? != Some(bytes) {
        return Err(Trouble::Refused("what was written there is not what is read".to_owned()));
    }
    place.remove(&name).await
}
