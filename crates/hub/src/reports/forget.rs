//! Forgets old reports. The newest of each node, kind and subject stays.

use sortie_rules::time::Span;
use sortie_store::reports;

use crate::app::App;
use crate::fault::Fault;

/// Reports deleted in one transaction.
const BATCH: u32 = 2000;

/// Deletes one batch. Returns how many went.
pub(crate) async fn forget(app: &App) -> Result<u64, Fault> {
    let before = app.clock.now() - Span::days(app.settings.retention.reports_d.into());
    Ok(app.store.write(move |tx| Box::pin(async move { reports::delete_before(tx, before, BATCH).await })).await?)
}
