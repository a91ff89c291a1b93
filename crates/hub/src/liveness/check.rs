//! Looks at silence and writes down what changed (B-24, B-25).

use sortie_rules::limits::PRESENCE_CHANGES_AT_ONCE;
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
    let is_held = |node| app.waiting.is_held(node);
    let (mut total, mut after) = (0, None);
    loop {
        // A fleet that goes silent at once is written down page by page: what follows from the first is done while the
        // last is still to come.
        let (changes, next) = app.presence.look(is_held, app.settings.thresholds(), after, PRESENCE_CHANGES_AT_ONCE);
        if !changes.is_empty() {
            record_change(app, changes.clone(), now).await?;
            app.presence.say(&changes);
            total += changes.len() as u64;
        }
        match next {
            Some(last) => after = Some(last),
            None => return Ok(total),
        }
    }
}

/// Writes presence and event of each change in one transaction.
pub(super) async fn record_change(app: &App, changes: Vec<Changed>, now: Millis) -> Result<(), Fault> {
    app.store
        .write(move |tx| {
            Box::pin(async move {
                let said: Vec<_> = changes.iter().map(|changed| (changed.node, changed.presence)).collect();
                let stand = nodes::set_presence(tx, &said, now).await?;
                let record =
                    |changed: &Changed| Record::new(changed.org, now, word(changed.change), "hub").node(changed.node);
                // A node that was shut out a moment ago is not missed.
                let of_those = changes.iter().zip(stand).filter(|(_, stands)| *stands);
                let records: Vec<_> = of_those.map(|(changed, _)| record(changed)).collect();
                events::record_all(tx, &records).await?;
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
