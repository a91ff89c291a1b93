//! Keeps what this hub has in memory in step with what other hubs on the same database change: a node that
//! was shut out, or has another key, a token that was revoked or denied, and an org setting that was chosen
//! anew or evicted. Only where there can be other hubs.

use std::sync::atomic::{AtomicU64, Ordering};

use sortie_rules::ids::{SessionId, TokenId};
use sortie_rules::liveness::Presence;
use sortie_rules::org_settings::known;
use sortie_store::events::{self, Change};

use crate::app::{App, Shared};
use crate::fault::Fault;

/// How far the events were followed; 0: not yet.
#[derive(Debug, Default)]
pub(crate) struct Followed(AtomicU64);

impl Followed {
    /// Forgets what has changed since the last look. Returns how much that was.
    pub(crate) async fn follow(&self, app: &Shared) -> Result<u64, Fault> {
        let after = self.0.load(Ordering::Relaxed);
        let (newest, changes) = app
            .store
            .read(move |tx| {
                Box::pin(async move {
                    let newest = events::last_number(tx).await?;
                    // At the first look there is nothing in memory that could be old.
                    let changes =
                        if after == 0 { Vec::new() } else { events::changes_between(tx, after, newest).await? };
                    Ok::<_, Fault>((newest, changes))
                })
            })
            .await?;
        if after == 0 {
            // What was read before it was known from where to follow may have changed unseen.
            app.org_settings.evict_all();
            app.alarms.rules.evict_all();
            app.maintenances.evict_all();
            app.operators.forget_all();
            app.desired.generations.forget_all();
        }
        for change in &changes {
            forget(app, change);
            crate::desired::follow(app, change).await?;
        }
        // Whoever is locked out waits for a file, which rings no bell.
        let of_keys = app.ring.is_locked_out() || changes.iter().any(|change| change.kind.starts_with("keys."));
        if after == 0 || of_keys {
            crate::keys::reread_ring(app).await?;
        }
        if after == 0 || changes.iter().any(|change| change.kind == "token.denied") {
            app.denied.load(&app.store).await?;
            app.people.ring();
        }
        self.0.store(newest.max(1), Ordering::Relaxed);
        Ok(changes.len() as u64)
    }
}

/// What an event says of a node's presence.
fn said(kind: &str) -> Option<Presence> {
    match kind {
        "node.stale" => Some(Presence::Stale),
        "node.down" => Some(Presence::Down),
        "node.recovered" => Some(Presence::Online),
        _ => None,
    }
}

fn forget(app: &App, change: &Change) {
    if let Some(presence) = said(&change.kind) {
        change.node.into_iter().for_each(|node| app.presence.said_elsewhere(node, presence));
        return;
    }
    let data: serde_json::Value = serde_json::from_str(&change.data).unwrap_or_default();
    if let Some(node) = change.node {
        app.nodes.forget(node);
        app.desired.generations.doubt(node);
        app.enforcements.changed(node);
        if change.kind == "node.changed" {
            // It may be at another site, whose layer it has from now on.
            app.desired.generations.forget(node);
            app.waiting.end_wait(node);
        }
        if change.kind == "node.enrolled" && data["replaced"] == true {
            // Its line was begun anew: what is held here belongs to an agent that is no more.
            app.waiting.doubt(node);
        }
        if change.kind == "node.revoked" {
            app.presence.forget(node);
        }
        if matches!(change.kind.as_str(), "node.revoked" | "node.quarantined" | "node.readmitted") {
            app.waiting.forget(node);
        }
    }
    let token = data["token"].as_str().and_then(|id| id.parse::<TokenId>().ok());
    token.into_iter().for_each(|token| app.people.forget(token));
    if change.kind == "setting.changed" {
        match data["key"].as_str().and_then(known) {
            Some(setting) => app.org_settings.evict(change.org, setting),
            // A newer hub's key is not read here; what it says of others is not known either.
            None => app.org_settings.evict_all(),
        }
    }
    if change.kind.starts_with("maintenance.") {
        app.maintenances.evict(change.org);
    }
    if change.kind == "alarm_rule.changed" {
        app.alarms.rules.evict(change.org);
    }
    if change.kind == "setting.evicted" {
        match data["key"].as_str().and_then(known) {
            Some(setting) => app.org_settings.evict(change.org, setting),
            None => app.org_settings.evict_org(change.org),
        }
    }
    if change.kind == "operators.published" {
        app.operators.forget(change.org);
    }
    let session = data["session"].as_str().and_then(|id| id.parse::<SessionId>().ok());
    session.into_iter().for_each(|session| crate::sessions::forget(app, session));
}
