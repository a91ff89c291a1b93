//! Looks at silence and writes down what changed (B-24, B-25).

use sortie_rules::liveness::Change;
use sortie_rules::time::Millis;
use sortie_store::nodes;

use super::board::Changed;
use crate::app::App;
use crate::events::{self, Record};
use crate::fault::Fault;

/// Looks at every node's silence once. Returns how many nodes changed.
pub(crate) async fn check(app: &App) -> Result<u64, Fault> {
    let now = app.clock.now();
    if app.store.engine() == "postgres" {
        // Nodes whose waits are held at other hubs are heard there.
        super::load(&app.store, &app.presence).await?;
    }
    let changes = app.presence.look_at_all(app, now, app.settings.thresholds());
    if changes.is_empty() {
        return Ok(0);
    }
    record_change(app, changes.clone(), now).await?;
    app.presence.say(&changes);
    Ok(changes.len() as u64)
}

/// Writes presence and event of each change in one transaction.
pub(super) async fn record_change(app: &App, changes: Vec<Changed>, now: Millis) -> Result<(), Fault> {
    app.store
        .write(move |tx| {
            Box::pin(async move {
                for changed in changes {
                    nodes::set_presence(tx, changed.node, changed.presence, now).await?;
                    let record = Record::new(changed.org, now, word(changed.change), "hub").node(changed.node);
                    events::record(tx, record).await?;
                }
                Ok(())
            })
        })
        .await
}

fn word(change: Change) -> &'static str {
    match change {
        Change::FirstHeard => "node.online",
        Change::WentStale => "node.stale",
        Change::WentDown => "node.down",
        Change::Recovered => "node.recovered",
    }
}
