//! Whether the place of blobs is this database's: it bears a mark that the database knows. `rules::blobs` decides.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use sortie_rules::blobs::{Known, MARK, Verdict, WrongPlace, judge};
use sortie_rules::limits::BLOB_WAITED_MAX;
use sortie_store::{Store, StoreError, meta};

use super::place::Place;
use super::standing::Blobs;
use super::trouble::Trouble;
use crate::app::App;
use crate::clock::Entropy;
use crate::fault::Fault;

/// Under which word the database remembers its place.
pub(crate) const PLACE: &str = "blobs_place";
/// Under which word it remembers that the place bears its mark.
pub(crate) const MARKED: &str = "blobs_marked";

/// What the mark says.
#[derive(Debug, Serialize, Deserialize)]
struct Mark {
    /// The id of the place.
    place: String,
}

/// Why a place is not to be used now.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unfit {
    /// It does not answer, or says no.
    #[error(transparent)]
    Trouble(#[from] Trouble),
    /// It is another one.
    #[error(transparent)]
    Wrong(#[from] WrongPlace),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Looks whether it is the right place, and marks it if it is to be. One that has no database yet becomes this one's if
/// `to_keep` says that there is something to keep.
pub(super) async fn settle(
    blobs: &Blobs,
    place: &Place,
    store: &Store,
    entropy: &Entropy,
    to_keep: bool,
) -> Result<(), Unfit> {
    let settled = settled(blobs, place, store, entropy, to_keep).await;
    match &settled {
        Ok(belongs) => {
            blobs.set_belongs(*belongs);
            blobs.note(Ok(()));
        }
        Err(Unfit::Trouble(trouble)) => blobs.note(Err(trouble)),
        Err(Unfit::Wrong(wrong)) => {
            blobs.set_belongs(false);
            blobs.note(Err(&Trouble::Refused(wrong.to_string())));
        }
        Err(Unfit::Store(_)) => {}
    }
    settled.map(drop)
}

async fn settled(blobs: &Blobs, place: &Place, store: &Store, entropy: &Entropy, to_keep: bool) -> Result<bool, Unfit> {
    let there = mark_of(place).await?;
    let (id, marked) = known(store).await?;
    let known = id.as_deref().map(|id| Known { id, marked });
    let id = match judge(known, there.as_deref(), blobs.in_place_of.as_deref())? {
        Verdict::Right => return Ok(true),
        Verdict::Free if !to_keep => return Ok(false),
        Verdict::Mark => id.unwrap_or_default(),
        Verdict::Free => {
            let drawn = hex::encode(entropy.bytes::<8>());
            // Of several hubs one is first, and all of them write the same mark.
            store.write(move |tx| Box::pin(async move { meta::set_first(tx, PLACE, &drawn).await })).await?
        }
        Verdict::TakeOver => {
            let drawn = hex::encode(entropy.bytes::<8>());
            tracing::warn!(former = ?id, place = place.told(), "Another place of blobs is used from now on");
            let taken = drawn.clone();
            let write = store.write(move |tx| {
                Box::pin(async move {
                    meta::set(tx, MARKED, "0").await?;
                    meta::set(tx, PLACE, &taken).await
                })
            });
            write.await?;
            drawn
        }
    };
    place.put(MARK, mark(&id)).await?;
    store.write(|tx| Box::pin(async move { meta::set(tx, MARKED, "1").await })).await?;
    Ok(true)
}

/// Looks at the place, for whoever asks later how it stands.
pub(crate) async fn check(app: &App) -> Result<u64, Fault> {
    let Some(place) = app.blobs.place() else { return Ok(0) };
    match settle(&app.blobs, place, &app.store, &app.entropy, false).await {
        // What is wrong with the place is told by whom it concerns.
        Ok(()) | Err(Unfit::Trouble(_) | Unfit::Wrong(_)) => Ok(0),
        Err(Unfit::Store(error)) => Err(error.into()),
    }
}

/// The mark as it stands in the place of a database that remembers this under [`PLACE`] and [`MARKED`].
pub(crate) fn own_mark(place: Option<&str>, marked: Option<&str>) -> Option<Bytes> {
    place.filter(|_| marked == Some("1")).map(mark)
}

fn mark(id: &str) -> Bytes {
    serde_json::to_vec(&Mark { place: id.to_owned() }).map(Bytes::from).unwrap_or_default()
}

async fn mark_of(place: &Place) -> Result<Option<String>, Trouble> {
    let Some(bytes) = place.get(MARK, BLOB_WAITED_MAX).await? else { return Ok(None) };
    let mark: Result<Mark, _> = serde_json::from_slice(&bytes);
    let unreadable = |why| Trouble::Refused(format!("its file {MARK} cannot be read ({why})"));
    mark.map(|mark| Some(mark.place)).map_err(unreadable)
}

async fn known(store: &Store) -> Result<(Option<String>, bool), StoreError> {
    let read = store.read(|tx| {
        Box::pin(async move {
            let marked = meta::get(tx, MARKED).await?.as_deref() == Some("1");
            Ok::<_, StoreError>((meta::get(tx, PLACE).await?, marked))
        })
    });
    read.await
}
