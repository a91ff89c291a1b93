//! Forgets alarms that were over long ago.

use sortie_rules::time::Span;
use sortie_store::alarms;

use crate::app::App;
use crate::fault::Fault;

/// Alarms deleted in one transaction.
const BATCH: u32 = 2000;

/// Deletes one batch. Returns how many went.
pub(crate) async fn forget(app: &App) -> Result<u64, Fault> {
    let before = app.clock.now() - Span::days(app.settings.retention.alarms_d.into());
    let gone =
        app.store.write(move |tx| Box::pin(async move { alarms::delete_resolved_before(tx, before, BATCH).await }));
    Ok(gone.await?)
}
