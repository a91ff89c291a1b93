//! What this room keeps in memory: nothing that it could not do without. A bell says that a node may be meant something
//! else; a bell that is lost only delays, since all pins are looked through now and then.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sortie_rules::ids::{NodeId, OrgId};
use sortie_rules::limits::{EDGE_CALLS_AT_ONCE, ENFORCEMENTS_NOTED_EVERY};
use tokio::sync::{Notify, Semaphore};
use tokio_util::task::TaskTracker;

use crate::clock::Steady;
use crate::packs::ResourceKinds;

/// Nodes that are looked at one by one; of more, all pins are looked through.
const ONE_BY_ONE_MAX: usize = 500;

/// What was last seen to be meant for a node: its generation, and whether it is shut out.
pub(super) type Seen = (u64, bool);

/// What is in memory of enforcements.
#[derive(Debug)]
pub(crate) struct Enforcements {
    bell: Arc<Notify>,
    known: Mutex<Known>,
    /// Zones that are called at this moment: each by one at a time of each org.
    zones: Arc<Mutex<HashSet<(OrgId, String)>>>,
    pub(super) places: Arc<Semaphore>,
    /// Every try under way, for an orderly stop.
    pub(crate) tries: TaskTracker,
}

#[derive(Debug, Default)]
struct Known {
    /// Nodes for which something else may be meant.
    changed: HashSet<NodeId>,
    seen: HashMap<NodeId, Seen>,
    /// Nodes that have enforcements.
    having: HashSet<NodeId>,
    /// The kinds that were used, and when all pins were looked through with them.
    looked: Option<(Arc<ResourceKinds>, Steady)>,
}

/// Which nodes are to be looked at.
pub(super) enum Work {
    These(Vec<NodeId>),
    All,
}

/// A zone that is called by one. Dropped, others may have their turn.
#[derive(Debug)]
pub(super) struct Zone {
    key: (OrgId, String),
    zones: Arc<Mutex<HashSet<(OrgId, String)>>>,
    bell: Arc<Notify>,
}

impl Default for Enforcements {
    fn default() -> Enforcements {
        Enforcements {
            bell: Arc::default(),
            known: Mutex::default(),
            zones: Arc::default(),
            places: Arc::new(Semaphore::new(EDGE_CALLS_AT_ONCE)),
            tries: TaskTracker::new(),
        }
    }
}

impl Enforcements {
    /// Rings when there may be something to do.
    pub(crate) fn bell(&self) -> Arc<Notify> {
        Arc::clone(&self.bell)
    }

    /// There may be something to do.
    pub(crate) fn ring(&self) {
        self.bell.notify_one();
    }

    /// Something else may be meant for a node. Call it after the commit.
    pub(crate) fn changed(&self, node: NodeId) {
        self.known().changed.insert(node);
        self.ring();
    }

    /// Another hub does it: whatever is known here is old when this one begins to.
    pub(super) fn rest(&self) {
        *self.known() = Known::default();
    }

    /// Which nodes are to be looked at, with these kinds; all of them at first, when the kinds have changed, and now
    /// and then.
    pub(super) fn to_note(&self, kinds: &Arc<ResourceKinds>) -> Work {
        let mut known = self.known();
        let is_current = known
            .looked
            .as_ref()
            .is_some_and(|(with, at)| Arc::ptr_eq(with, kinds) && at.elapsed() < ENFORCEMENTS_NOTED_EVERY);
        if !known.looked.as_ref().is_some_and(|(with, _)| Arc::ptr_eq(with, kinds)) {
            known.seen.clear();
        }
        let changed: Vec<NodeId> = known.changed.drain().collect();
        if !is_current || changed.len() > ONE_BY_ONE_MAX {
            return Work::All;
        }
        let has_kinds = kinds.has_enforced();
        Work::These(changed.into_iter().filter(|node| has_kinds || known.having.contains(node)).collect())
    }

    /// All pins were looked through with these kinds.
    pub(super) fn noted_all(&self, kinds: &Arc<ResourceKinds>, began: Steady) {
        self.known().looked = Some((Arc::clone(kinds), began));
    }

    /// They could not be looked at; they are next time.
    pub(super) fn not_noted(&self, nodes: impl IntoIterator<Item = NodeId>) {
        self.known().changed.extend(nodes);
    }

    /// Whether this is what was seen of a node.
    pub(super) fn has_seen(&self, node: NodeId, seen: Seen) -> bool {
        self.known().seen.get(&node) == Some(&seen)
    }

    /// This was seen of a node; whether it has enforcements.
    pub(super) fn saw(&self, node: NodeId, seen: Seen, has_some: bool) {
        let mut known = self.known();
        known.seen.insert(node, seen);
        if has_some {
            known.having.insert(node);
        } else {
            known.having.remove(&node);
        }
    }

    /// A zone, if nobody calls it at the moment.
    pub(super) fn take_zone(&self, org: OrgId, name: &str) -> Option<Zone> {
        let key = (org, name.to_owned());
        let is_free = self.zones.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone());
        let (zones, bell) = (Arc::clone(&self.zones), Arc::clone(&self.bell));
        is_free.then(|| Zone { key, zones, bell })
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Zone {
    fn drop(&mut self) {
        self.zones.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
        self.bell.notify_one();
    }
}
