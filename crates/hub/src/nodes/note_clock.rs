//! Writes down what is said of a node's clock, when that has changed.

use std::sync::Arc;

use sortie_rules::clocks::ClockState;
use sortie_rules::time::Millis;
use sortie_store::nodes;

use super::directory::Known;
use crate::app::Shared;
use crate::events::{self, Record};
use crate::fault::Fault;

/// Notes what a node's clock shows, in the background.
pub(crate) fn note_clock(app: &Shared, known: &Arc<Known>, shows: Millis) {
    let now = app.clock.now();
    let skew_ms = shows.0.saturating_sub(now.0);
    let may_be_noted = || app.rates.note_of_node(known.id, now).is_ok();
    let Some((said, before)) = known.shows(skew_ms, app.clock.moved_ms(), may_be_noted) else { return };
    let (app, node, org) = (app.clone(), known.id, known.org);
    tokio::spawn(async move {
        let written = app
            .store
            .write(move |tx| {
                Box::pin(async move {
                    nodes::set_clock(tx, node, said, skew_ms).await?;
                    // That a clock is right from the start is no news.
                    let kind = match (before, said) {
                        (_, ClockState::Skewed) => Some("node.clock_skewed"),
                        (Some(_), ClockState::Ok) => Some("node.clock_ok"),
                        (None, ClockState::Ok) => None,
                    };
                    if let Some(kind) = kind {
                        let data = serde_json::json!({ "skew_ms": skew_ms });
                        events::record(tx, Record::new(org, now, kind, "hub").node(node).data(&data)).await?;
                    }
                    Ok::<_, Fault>(())
                })
            })
            .await;
        if let Err(error) = written {
            tracing::warn!(%node, %error, "Could not write down what a node's clock shows");
            app.nodes.forget(node);
        }
    });
}
