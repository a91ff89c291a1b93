//! When each node was last heard, in memory.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

use sortie_rules::ids::{NodeId, OrgId};
use sortie_rules::liveness::{Change, Presence, Thresholds, heard, look};
use sortie_rules::time::{Millis, Span};

use sortie_store::nodes::PresenceRow;

use super::check::record_change;
use crate::app::{App, Shared};

/// What is known of each node's presence.
#[derive(Debug, Default)]
pub(crate) struct PresenceBoard(Mutex<BTreeMap<NodeId, Seen>>);

/// One node on the board.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen {
    pub(crate) org: OrgId,
    pub(crate) said: Presence,
    pub(crate) heard_at: Option<Millis>,
    /// Since when it is silent, not counting time in which no hub listened.
    pub(crate) silent_since: Millis,
    pub(crate) stale_after: Option<Span>,
    pub(crate) down_after: Option<Span>,
    /// Heard since it was last written down.
    pub(crate) unwritten: bool,
}

impl Seen {
    fn hear(&mut self, now: Millis) {
        self.heard_at = Some(now);
        self.silent_since = now;
        self.unwritten = true;
    }
}

/// A change of presence that must be written down.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Changed {
    pub(crate) node: NodeId,
    pub(crate) org: OrgId,
    pub(crate) presence: Presence,
    pub(crate) change: Change,
}

impl PresenceBoard {
    /// Takes over what the store knows of a node. What was heard here and is not written down yet counts as well.
    pub(crate) fn learn(&self, row: PresenceRow) {
        let mut board = self.board();
        if row.revoked {
            board.remove(&row.id);
            return;
        }
        let own = board.get(&row.id).copied();
        let unwritten = own.filter(|own| own.unwritten);
        let seen = Seen {
            org: row.org,
            said: unwritten.map_or(row.presence, |own| own.said),
            heard_at: row.heard_at.max(own.and_then(|own| own.heard_at)),
            silent_since: own.map_or(row.silent_since, |own| own.silent_since.max(row.silent_since)),
            stale_after: row.stale_after,
            down_after: row.down_after,
            unwritten: unwritten.is_some(),
        };
        board.insert(row.id, seen);
    }

    /// Another hub has said this of a node.
    pub(crate) fn said_elsewhere(&self, node: NodeId, presence: Presence) {
        if let Some(seen) = self.board().get_mut(&node).filter(|seen| !seen.unwritten) {
            seen.said = presence;
        }
    }

    /// A node enrolled, for the first time or anew: it was not heard on its own line yet, whoever spoke there
    /// before.
    pub(crate) fn enrolled(&self, node: NodeId, org: OrgId, thresholds: (Option<Span>, Option<Span>), now: Millis) {
        let (stale_after, down_after) = thresholds;
        let fresh = Seen {
            org,
            said: Presence::New,
            heard_at: None,
            silent_since: now,
            stale_after,
            down_after,
            unwritten: false,
        };
        self.board().insert(node, fresh);
    }

    /// A revoked node is not missed.
    pub(crate) fn forget(&self, node: NodeId) {
        self.board().remove(&node);
    }

    /// Whether this hub heard the node at this time or later.
    pub(crate) fn was_heard_since(&self, node: NodeId, since: Millis) -> bool {
        self.board().get(&node).and_then(|seen| seen.heard_at).is_some_and(|at| at >= since)
    }

    /// The node gave a sign of life. A change of presence is written down in the background.
    pub(crate) fn heard(&self, app: &Shared, node: NodeId, org: OrgId) {
        let now = app.clock.now();
        if let Some(changed) = self.note(node, org, now) {
            let app = app.clone();
            tokio::spawn(async move {
                if let Err(error) = record_change(&app, vec![changed], now).await {
                    tracing::warn!(%node, %error, "Could not write down that a node is there");
                    app.presence.take_back(changed);
                }
            });
        }
    }

    fn note(&self, node: NodeId, org: OrgId, now: Millis) -> Option<Changed> {
        let mut board = self.board();
        let seen = board.entry(node).or_insert_with(|| Seen {
            org,
            said: Presence::New,
            heard_at: None,
            silent_since: now,
            stale_after: None,
            down_after: None,
            unwritten: false,
        });
        seen.hear(now);
        let (presence, change) = heard(seen.said);
        seen.said = presence;
        change.map(|change| Changed { node, org: seen.org, presence, change })
    }

    /// A change could not be written: the next sign of life shall be a change again.
    fn take_back(&self, changed: Changed) {
        if let Some(seen) = self.board().get_mut(&changed.node) {
            seen.said = if changed.change == Change::FirstHeard { Presence::New } else { Presence::Down };
        }
    }

    /// Notes that nodes with a held wait are there, for the hub that looks at silence.
    pub(crate) fn hear_held(&self, app: &App) {
        let now = app.clock.now();
        let mut board = self.board();
        let held = board.iter_mut().filter(|(node, _)| app.waiting.is_held(**node));
        held.for_each(|(_, seen)| seen.hear(now));
    }

    /// Looks at nodes' silence, in the order of their ids after this one, until so many of them have changed. Returns
    /// the changes, and after which node to go on; nothing: these were all. Nodes with a held wait are there.
    pub(crate) fn look(
        &self,
        app: &App,
        now: Millis,
        defaults: Thresholds,
        after: Option<NodeId>,
        limit: usize,
    ) -> (Vec<Changed>, Option<NodeId>) {
        let mut changes = Vec::new();
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        for (node, seen) in self.board().range_mut((from, Bound::Unbounded)) {
            if app.waiting.is_held(*node) {
                seen.hear(now);
            }
            let thresholds = Thresholds {
                stale_after: seen.stale_after.unwrap_or(defaults.stale_after),
                down_after: seen.down_after.unwrap_or(defaults.down_after),
            };
            let (presence, change) = look(seen.said, now.since(seen.silent_since), thresholds);
            if let Some(change) = change {
                changes.push(Changed { node: *node, org: seen.org, presence, change });
                if changes.len() >= limit {
                    return (changes, Some(*node));
                }
            }
        }
        (changes, None)
    }

    /// Changes that were written are said from now on.
    pub(crate) fn say(&self, changes: &[Changed]) {
        let mut board = self.board();
        for changed in changes {
            if let Some(seen) = board.get_mut(&changed.node) {
                seen.said = changed.presence;
            }
        }
    }

    /// Takes what was heard since the last time, to be written down together.
    pub(crate) fn take_unwritten(&self) -> Vec<(NodeId, Millis, Millis)> {
        let mut board = self.board();
        let heard = board.iter_mut().filter_map(|(node, seen)| {
            let unwritten = std::mem::take(&mut seen.unwritten);
            seen.heard_at.filter(|_| unwritten).map(|heard_at| (*node, heard_at, seen.silent_since))
        });
        heard.collect()
    }

    /// What was taken could not be written down: it goes with the next.
    pub(crate) fn not_written(&self, heard: &[(NodeId, Millis, Millis)]) {
        let mut board = self.board();
        for (node, ..) in heard {
            if let Some(seen) = board.get_mut(node) {
                seen.unwritten = true;
            }
        }
    }

    /// When a node was last heard.
    pub(crate) fn heard_at(&self, node: NodeId) -> Option<Millis> {
        self.board().get(&node)?.heard_at
    }

    /// A node's thresholds were changed.
    pub(crate) fn set_thresholds(&self, node: NodeId, stale_after: Option<Span>, down_after: Option<Span>) {
        if let Some(seen) = self.board().get_mut(&node) {
            (seen.stale_after, seen.down_after) = (stale_after, down_after);
        }
    }

    fn board(&self) -> MutexGuard<'_, BTreeMap<NodeId, Seen>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
