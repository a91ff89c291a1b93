//! Keeps bytes as a blob. The row is written first, so that nothing can lie in the place that is not known; whoever
//! keeps them then refers to the blob, in one transaction with `set_kept`.

use aws_lc_rs::digest::{SHA256, digest};
use bytes::Bytes;
use sortie_rules::blobs::name;
use sortie_rules::ids::OrgId;
use sortie_store::blobs::{self, BlobRow};

use super::alone::Alone;
use super::belonging::{Unfit, settle};
use crate::app::App;
use crate::fault::Fault;

/// Keeps them. Bytes that the org has already are kept once.
pub(crate) async fn keep(app: &App, org: OrgId, bytes: Bytes) -> Result<BlobRow, Fault> {
    let Some(place) = app.blobs.place() else { return Err(Fault::Broken("there is no place for blobs".to_owned())) };
    if app.blobs.alone.as_ref().is_some_and(Alone::is_lost) {
        return Err(Fault::Broken(app.blobs.trouble().unwrap_or_default()));
    }
    // A folder that is not mounted any more looks like an empty one: it is looked at each time.
    if !app.blobs.belongs() || place.is_folder() {
        settle(&app.blobs, place, &app.store, &app.entropy, true).await.map_err(|unfit| match unfit {
            Unfit::Store(error) => Fault::Store(error),
            unfit => Fault::Broken(format!("blobs cannot be kept in {}: {unfit}", place.told())),
        })?;
    }
    let now = app.clock.now();
    let sha256 = hex::encode(digest(&SHA256, &bytes).as_ref());
    let begun = BlobRow { id: app.entropy.id(now), org, sha256, bytes: bytes.len() as u64, kept_at: None };
    let row = app.store.write(move |tx| Box::pin(async move { blobs::begin(tx, &begun, now).await })).await?;
    if row.kept_at.is_some() {
        return Ok(row);
    }
    let put = place.put(&name(row.org, &row.sha256, row.id), bytes).await;
    app.blobs.note(put.as_ref().copied());
    match put {
        Ok(()) => Ok(row),
        Err(trouble) => Err(Fault::Broken(format!("blobs cannot be kept in {}: {trouble}", place.told()))),
    }
}

/// Takes back what was put into its place after its row had begun to leave: the row may be gone, and then nobody else
/// knows of these bytes.
pub(crate) async fn take_back(app: &App, row: &BlobRow) {
    let Some(place) = app.blobs.place() else { return };
    if let Err(trouble) = place.remove(&name(row.org, &row.sha256, row.id)).await {
        tracing::warn!(blob = %row.id, %trouble, "A blob that nobody refers to could not be removed from its place");
    }
}
