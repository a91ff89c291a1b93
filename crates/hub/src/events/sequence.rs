//! Numbers events that are committed. On SQLite the writer thread has done so already; on
//! PostgreSQL transactions may commit in another order than they began, so one loop numbers what
//! stands, and readers see only what has its number.

use sortie_store::events;

use crate::app::App;
use crate::fault::Fault;

/// Most events numbered in one transaction.
const BATCH: u32 = 5000;

/// Numbers all that is committed. Returns how many that was.
pub(crate) async fn sequence(app: &App) -> Result<u64, Fault> {
    let mut total = 0;
    loop {
        let numbered = app
            .store
            .write(move |tx| Box::pin(async move { Ok::<_, Fault>(events::number_pending(tx, BATCH).await?) }))
            .await?;
        total += numbered;
        if numbered > 0 {
            app.alarms.ring();
            app.notifications.ring();
        }
        if numbered < u64::from(BATCH) {
            return Ok(total);
        }
    }
}
