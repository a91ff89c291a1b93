//! Forgets what was told long ago.

use sortie_rules::limits::COOL_DOWN_MAX;
use sortie_rules::time::Span;
use sortie_store::{StoreError, dispatches, notifications, told};

use crate::app::App;
use crate::fault::Fault;

/// Rows of each table that are deleted in one transaction.
const BATCH: u32 = 2000;

/// Deletes one batch of each. Returns how much went.
pub(crate) async fn forget(app: &App) -> Result<u64, Fault> {
    let now = app.clock.now();
    let before = now - Span::days(app.settings.retention.notifications_d.into());
    let gone = app.store.write(move |tx| {
        Box::pin(async move {
            let told = told::delete_before(tx, now - COOL_DOWN_MAX, BATCH).await?;
            let dispatches = dispatches::delete_before(tx, before, BATCH).await?;
            Ok::<_, StoreError>(told + dispatches + notifications::delete_before(tx, before, BATCH).await?)
        })
    });
    Ok(gone.await?)
}
