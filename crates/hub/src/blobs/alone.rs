//! A folder of blobs on a PostgreSQL hub, which no other hub has: a row in the database says who uses one. It is
//! watched as leaders are: by its beat, and not by any clock. A hub that was killed is thereby told from one that
//! lives, and one that stopped in an orderly way has let go.

use std::sync::atomic::{AtomicBool, Ordering};

use sortie_rules::leaders::{HolderName, Look, Seen, look};
use sortie_rules::limits::LEADER_BEAT;
use sortie_rules::time::Span;
use sortie_store::leaders::{self, Holder};
use sortie_store::{Store, StoreError};

use super::trouble::BlobsError;
use crate::app::App;
use crate::clock::{Entropy, Steady};
use crate::fault::Fault;

/// What is held.
const DUTY: &str = "blobs_folder";
/// How often a holder is looked at that may be gone.
const LOOK_EVERY: Span = Span(LEADER_BEAT.0 / 4);

/// That this hub alone has a folder of blobs.
#[derive(Debug)]
pub(crate) struct Alone {
    own: String,
    lost: AtomicBool,
}

impl Alone {
    /// Takes it, if nobody has it who lives.
    pub(super) async fn take(store: &Store, entropy: &Entropy) -> Result<Alone, BlobsError> {
        let own = hex::encode(entropy.bytes::<8>());
        let mut watched: Option<(Holder, Steady)> = None;
        loop {
            let holder = holder(store).await?;
            let unchanged_for = match (&watched, &holder) {
                (Some((before, since)), Some(holder)) if before == holder => since.elapsed(),
                // It beats, or somebody else was quicker: there is another hub.
                (Some(_), Some(_)) => return Err(BlobsError::SeveralHubs),
                (None, Some(holder)) => {
                    tracing::info!("Waiting whether another hub lives that has a folder of blobs");
                    watched = Some((holder.clone(), Steady::now()));
                    Span::ZERO
                }
                (_, None) => Span::ZERO,
            };
            // It is taken before there is a connection that could hold a lock: the beat alone tells.
            let seen = holder.as_ref().map(|holder| Seen {
                holder: HolderName::parse(&holder.name),
                unchanged_for,
                lock_is_free: false,
            });
            if look(&own, seen) == Look::Take && take(store, holder, &own).await? {
                return Ok(Alone { own, lost: AtomicBool::new(false) });
            }
            tokio::time::sleep(LOOK_EVERY.to_std()).await;
        }
    }

    /// Whether another hub has taken it since.
    pub(super) fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Relaxed)
    }

    /// Says that this hub lives. Returns 1 if somebody else has the folder now.
    pub(crate) async fn beat(&self, app: &App) -> Result<u64, Fault> {
        let holder = holder(&app.store).await?;
        let is_own = holder.as_ref().is_none_or(|holder| holder.name == self.own);
        let kept = is_own && take(&app.store, holder, &self.own).await?;
        let was_lost = self.lost.swap(!kept, Ordering::Relaxed);
        if !kept && !was_lost {
            tracing::error!(why = %BlobsError::SeveralHubs, "No blobs are kept here any more");
        }
        Ok(u64::from(!kept && !was_lost))
    }

    /// Lets go at an orderly stop, so that the next start need not watch.
    pub(crate) async fn let_go(&self, store: &Store) -> Result<(), StoreError> {
        let own = self.own.clone();
        store.write(move |tx| Box::pin(async move { leaders::let_go(tx, DUTY, &own).await })).await
    }
}

async fn holder(store: &Store) -> Result<Option<Holder>, StoreError> {
    store.read(|tx| Box::pin(async move { leaders::holder(tx, DUTY).await })).await
}

async fn take(store: &Store, seen: Option<Holder>, own: &str) -> Result<bool, StoreError> {
    let own = own.to_owned();
    store.write(move |tx| Box::pin(async move { leaders::take(tx, DUTY, seen.as_ref(), &own).await })).await
}
