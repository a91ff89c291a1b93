//! Gives committed entries their links. On SQLite the writer has done so already; on PostgreSQL transactions may
//! commit in another order than they began, so one hub at a time appends what stands.

use sortie_store::audit::seal_waiting;

use crate::app::App;
use crate::fault::Fault;

/// Most entries sealed in one transaction.
const BATCH: u32 = 2000;

/// Seals all that is committed. Returns how many entries that was.
pub(crate) async fn seal(app: &App) -> Result<u64, Fault> {
    if app.store.engine() != "postgres" {
        return Ok(0);
    }
    let mut total = 0;
    loop {
        let sealed =
            app.store.write(move |tx| Box::pin(async move { Ok::<_, Fault>(seal_waiting(tx, BATCH).await?) })).await?;
        total += sealed;
        if sealed < u64::from(BATCH) {
            return Ok(total);
        }
    }
}
