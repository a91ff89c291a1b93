//! Forgets maintenance that was over long ago: as long ago as alarms that are forgotten.

use sortie_rules::time::Span;
use sortie_store::maintenance;

use crate::app::App;
use crate::fault::Fault;

/// Deleted in one transaction.
const BATCH: u32 = 2000;

/// Deletes one batch. Returns how many went.
pub(crate) async fn forget(app: &App) -> Result<u64, Fault> {
    let before = app.clock.now() - Span::days(app.settings.retention.alarms_d.into());
    let gone =
        app.store.write(move |tx| Box::pin(async move { maintenance::delete_over_before(tx, before, BATCH).await }));
    Ok(gone.await?)
}
