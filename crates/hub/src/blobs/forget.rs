//! Forgets blobs that nobody refers to any more, those of a crash between their row and whoever was to refer to them
//! included. First a blob leaves in the database, so that nobody can refer to it; later its bytes go, and then the row.

use std::sync::{Mutex, PoisonError};

use sortie_rules::blobs::name;
use sortie_rules::ids::BlobId;
use sortie_rules::limits::{BLOBS_LOOKED_AT, BLOBS_REMOVED};
use sortie_rules::time::Span;
use sortie_store::blobs;

use super::belonging::settle;
use crate::app::App;
use crate::fault::Fault;

/// How far the look at all blobs has come; it begins anew at the end, and after a start.
#[derive(Debug, Default)]
pub(crate) struct Walk(Mutex<Option<BlobId>>);

/// Looks at some blobs, and removes some that have left. Returns how many went.
pub(crate) async fn forget(app: &App) -> Result<u64, Fault> {
    let Some(place) = app.blobs.place() else { return Ok(0) };
    let now = app.clock.now();
    let before = now - Span::hours(app.settings.blobs.unreferred_h.into());
    let after =
        app.walk.0.lock().unwrap_or_else(PoisonError::into_inner).unwrap_or(BlobId::from_uuid(uuid::Uuid::nil()));
    let step = app
        .store
        .write(move |tx| Box::pin(async move { blobs::let_leave(tx, after, before, now, BLOBS_LOOKED_AT).await }));
    let (_, last) = step.await?;
    *app.walk.0.lock().unwrap_or_else(PoisonError::into_inner) = last;
    let find = app.store.read(move |tx| Box::pin(async move { blobs::leaving(tx, before, BLOBS_REMOVED).await }));
    let leaving = find.await?;
    if leaving.is_empty() || settle(&app.blobs, place, &app.store, &app.entropy, false).await.is_err() {
        return Ok(0);
    }
    let mut gone = 0;
    for row in leaving {
        let removed = place.remove(&name(row.org, &row.sha256, row.id)).await;
        app.blobs.note(removed.as_ref().copied());
        if let Err(trouble) = removed {
            return Err(Fault::Broken(format!("blobs cannot be removed from {}: {trouble}", place.told())));
        }
        app.store.write(move |tx| Box::pin(async move { blobs::forget(tx, row.id).await })).await?;
        gone += 1;
    }
    Ok(gone)
}
