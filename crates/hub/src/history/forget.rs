//! Forgets stretches that are old: hours sooner than days.

use sortie_rules::history::Step;
use sortie_store::history;

use crate::app::App;
use crate::fault::Fault;

/// Stretches deleted in one transaction.
const BATCH: u32 = 5000;

/// Deletes a batch of each length. Returns how many went.
pub(crate) async fn forget(app: &App) -> Result<u64, Fault> {
    let mut gone = 0;
    for step in Step::ALL {
        let before = app.clock.now() - step.kept();
        let deleted =
            app.store.write(move |tx| Box::pin(async move { history::delete_before(tx, step, before, BATCH).await }));
        gone += deleted.await?;
    }
    Ok(gone)
}
