//! Tells of nodes that do not know the hub's newest keys although those have been in use for a while, and that they
//! know them in the end: each once. Without them the former keys cannot be taken out of the ring.

use std::sync::Arc;

use sortie_rules::limits::{KEYS_LAG_TOLD_AFTER, LAGGARDS_TOLD_AT_ONCE};
use sortie_rules::rotation::{Ring, What};
use sortie_rules::time::Millis;
use sortie_store::node_keys::{self, FollowerRow};

use crate::app::App;
use crate::events::{self, Record};
use crate::fault::Fault;

/// Looks for them. Returns of how many it was told.
pub(crate) async fn tell_lag(app: &App) -> Result<u64, Fault> {
    let (held, now) = (app.ring.held(), app.clock.now());
    let (ring, mut total) = (held.ring(), 0);
    if is_old(ring, now) {
        total += tell(app, ring.needed(), true, now).await?;
    }
    Ok(total + tell(app, ring.needed(), false, now).await?)
}

/// Whether all that is in use has been so for long enough to be known.
fn is_old(ring: &Ring, now: Millis) -> bool {
    let used = |what| ring.coming(what).or_else(|| ring.current(what));
    let all = [What::Delivery, What::Authority, What::Given];
    all.into_iter().filter_map(used).all(|member| now.since(member.state.since()) >= KEYS_LAG_TOLD_AFTER)
}

/// Tells of those that `lag` and of whom it was not told, or of those of whom it was and that lag no more.
async fn tell(app: &App, version: u64, lag: bool, now: Millis) -> Result<u64, Fault> {
    let (mut total, limit) = (0, LAGGARDS_TOLD_AT_ONCE);
    let kind = if lag { "node.keys_lag" } else { "node.keys_known" };
    loop {
        let found = app.store.read(move |tx| {
            Box::pin(async move {
                match lag {
                    true => node_keys::lagging_untold(tx, version, limit).await,
                    false => node_keys::told_and_known(tx, version, limit).await,
                }
            })
        });
        let found = Arc::new(found.await?);
        let count = found.len();
        if count == 0 {
            return Ok(total);
        }
        let written = app.store.write(move |tx| {
            Box::pin(async move {
                let nodes: Vec<_> = found.iter().map(|row| row.node).collect();
                let stand = node_keys::set_lag_told(tx, &nodes, lag).await?;
                let record = |row: &FollowerRow| {
                    let data = serde_json::json!({ "version": row.keys_version, "needed": version });
                    Record::new(row.org, now, kind, "hub").node(row.node).data(&data)
                };
                let of_those = found.iter().zip(stand).filter(|(_, stands)| *stands);
                let records: Vec<_> = of_those.map(|(row, _)| record(row)).collect();
                if records.is_empty() { Ok::<_, Fault>(()) } else { Ok(events::record_all(tx, &records).await?) }
            })
        });
        written.await?;
        total += count as u64;
        if count < limit as usize {
            return Ok(total);
        }
    }
}
