//! What follows when the machine's clock is put forward or back while the hub runs: what is measured by times that are
//! written down moves with it, so that nobody is missed too early or too late, and people are told of it once.

use std::sync::atomic::{AtomicI64, Ordering};

use serde_json::json;
use sortie_rules::clocks::is_jump;
use sortie_rules::ids::DEFAULT_ORG;
use sortie_store::{alarms, nodes, notifications};
use tokio::sync::Mutex;

use crate::app::App;
use crate::events::{self, Record};
use crate::fault::Fault;

/// By how many milliseconds the clock has moved, as far as what follows from it was done.
#[derive(Debug, Default)]
pub(crate) struct Minded {
    moved_ms: AtomicI64,
    /// Held by who does what follows.
    at_work: Mutex<()>,
}

/// Looks whether the clock has jumped. What is written down is the leader's to move. When this has returned, what is
/// due by a time that was read before is due indeed.
pub(crate) async fn mind_clock(app: &App) -> Result<(), Fault> {
    let unminded = || {
        let moved_ms = app.clock.moved_ms();
        (moved_ms, moved_ms.saturating_sub(app.minded.moved_ms.load(Ordering::Relaxed)))
    };
    if !is_jump(unminded().1) {
        return Ok(());
    }
    let _alone = app.minded.at_work.lock().await;
    let (moved_ms, by_ms) = unminded();
    if !is_jump(by_ms) {
        return Ok(());
    }
    let now = app.clock.now();
    if app.leader.leads(app) {
        app.store
            .write(move |tx| {
                Box::pin(async move {
                    nodes::move_silence(tx, by_ms, now).await?;
                    alarms::move_due(tx, by_ms).await?;
                    notifications::move_times(tx, by_ms).await?;
                    let data = json!({ "by_ms": by_ms });
                    events::record(tx, Record::new(DEFAULT_ORG, now, "hub.clock_jumped", "hub").data(&data)).await?;
                    Ok::<_, Fault>(())
                })
            })
            .await?;
    }
    app.minded.moved_ms.store(moved_ms, Ordering::Relaxed);
    tracing::warn!(by_ms, "The machine's clock was put forward or back, or the machine slept");
    Ok(())
}
