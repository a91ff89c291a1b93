//! The nodes that were asked for lately, so that neither a submission nor an agent's request costs
//! a query to learn who is meant.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use sortie_rules::ids::{NodeId, OrgId};
use sortie_rules::limits::PENDING_TASKS_PER_NODE_MAX;
use sortie_store::nodes::{self, NodeRow};
use sortie_store::{Store, StoreError, tasks};
use sortie_wire::problem::ProblemCode;

use crate::fault::{Fault, refuse};

/// What is remembered of a node.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) id: NodeId,
    pub(crate) org: OrgId,
    pub(crate) name: String,
    pub(crate) revoked: bool,
    /// The SHA-256 of the public key that stands for the node now, in hex.
    pub(crate) key_fingerprint: String,
    /// At least as many tasks as wait for it: counted up here, counted anew when it reaches the limit.
    pending_at_most: AtomicU64,
}

/// Finds nodes by id and by name.
#[derive(Debug, Default)]
pub(crate) struct Directory(RwLock<Entries>);

#[derive(Debug, Default)]
struct Entries {
    by_id: HashMap<NodeId, Arc<Known>>,
    by_name: HashMap<OrgId, HashMap<String, NodeId>>,
    /// Rises when something is forgotten: a row read before that is not remembered after it.
    changes: u64,
}

impl Directory {
    /// The node with this id, whatever its org.
    pub(crate) async fn find(&self, store: &Store, id: NodeId) -> Result<Option<Arc<Known>>, StoreError> {
        let before = {
            let entries = self.0.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(known) = entries.by_id.get(&id) {
                return Ok(Some(Arc::clone(known)));
            }
            entries.changes
        };
        let row = store.read(move |tx| Box::pin(async move { nodes::get_any_org(tx, id).await })).await?;
        Ok(row.map(|row| self.remember(row, before)))
    }

    /// The node that `text` names, by name or id, in an org.
    pub(crate) async fn find_named(&self, store: &Store, org: OrgId, text: &str) -> Result<Arc<Known>, Fault> {
        let unknown = || {
            let shown: String = text.chars().take(80).collect();
            refuse(
                ProblemCode::UnknownNode,
                format!("There is no node `{shown}`; the command `sortie node list` lists them."),
            )
        };
        if let Ok(id) = text.parse::<NodeId>() {
            return self.find(store, id).await?.filter(|known| known.org == org).ok_or_else(unknown);
        }
        let before = {
            let entries = self.0.read().unwrap_or_else(PoisonError::into_inner);
            let id = entries.by_name.get(&org).and_then(|names| names.get(text));
            if let Some(known) = id.and_then(|id| entries.by_id.get(id)) {
                return Ok(Arc::clone(known));
            }
            entries.changes
        };
        let name = text.to_owned();
        let row = store.read(move |tx| Box::pin(async move { nodes::get_by_name(tx, org, &name).await })).await?;
        row.map(|row| self.remember(row, before)).ok_or_else(unknown)
    }

    /// Forgets a node: it has changed. Call it after the commit.
    pub(crate) fn forget(&self, id: NodeId) {
        let mut entries = self.0.write().unwrap_or_else(PoisonError::into_inner);
        entries.changes += 1;
        entries.by_id.remove(&id);
    }

    fn remember(&self, row: NodeRow, before: u64) -> Arc<Known> {
        let known = Arc::new(Known {
            id: row.id,
            org: row.org,
            name: row.name,
            revoked: row.revoked_at.is_some(),
            key_fingerprint: row.key_fingerprint,
            pending_at_most: AtomicU64::new(u64::MAX / 2),
        });
        let mut entries = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if entries.changes == before {
            entries.by_name.entry(known.org).or_default().insert(known.name.clone(), known.id);
            entries.by_id.insert(known.id, Arc::clone(&known));
        }
        known
    }
}

impl Known {
    /// Refuses more tasks for this node than may wait for it.
    pub(crate) async fn make_room(&self, store: &Store, tasks: u64) -> Result<(), Fault> {
        if self.pending_at_most.fetch_add(tasks, Ordering::Relaxed) + tasks <= PENDING_TASKS_PER_NODE_MAX {
            return Ok(());
        }
        let node = self.id;
        let waiting = store.read(move |tx| Box::pin(async move { tasks::count_pending(tx, node).await })).await?;
        self.pending_at_most.store(waiting + tasks, Ordering::Relaxed);
        if waiting + tasks <= PENDING_TASKS_PER_NODE_MAX {
            return Ok(());
        }
        let detail = format!(
            "{waiting} tasks wait for the node `{}` and at most {PENDING_TASKS_PER_NODE_MAX} may; try again when it \
             has worked some off, or cancel what is not needed any more.",
            self.name
        );
        Err(refuse(ProblemCode::QueueFull, detail))
    }
}
