//! Forgets what ended long ago: tasks, jobs, events, and answers to repeated requests.

use sortie_rules::limits::IDEMPOTENCY_LIFE;
use sortie_rules::time::Span;
use sortie_store::{assertions, denied_tokens, idempotency, jobs, operations, sessions, tasks};

use crate::app::App;
use crate::fault::Fault;
use crate::outbox;

/// Rows deleted in one transaction, so that nobody waits long behind it.
const BATCH: u32 = 2000;
/// The same of jobs: each may have a row for every node.
const JOBS_BATCH: u32 = 2;

/// Deletes one batch of each. Returns how many rows went.
pub(crate) async fn forget_old(app: &App) -> Result<u64, Fault> {
    let now = app.clock.now();
    let tasks_before = now - Span::days(app.settings.retention.tasks_d.into());
    let settings = app.settings.clone();
    app.store
        .write(move |tx| {
            Box::pin(async move {
                let mut gone = tasks::delete_finished_before(tx, tasks_before, BATCH).await?;
                gone += jobs::delete_finished_before(tx, tasks_before, JOBS_BATCH).await?;
                gone += operations::delete_ended_before(tx, tasks_before, BATCH).await?;
                gone += outbox::forget(tx, &settings, now, BATCH).await?;
                gone += idempotency::forget_older(tx, now - IDEMPOTENCY_LIFE).await?;
                gone += denied_tokens::forget_expired(tx, now).await?;
                gone += assertions::forget_expired(tx, now).await?;
                gone += sessions::forget_ended(tx, now, BATCH).await?;
                Ok(gone)
            })
        })
        .await
}
