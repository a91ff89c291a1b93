//! The nodes that were asked for lately, so that neither a submission nor an agent's request costs
//! a query to learn who is meant.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use sortie_rules::clocks::{ClockState, look};
use sortie_rules::ids::{BootId, NodeId, OrgId};
use sortie_rules::limits::PENDING_TASKS_PER_NODE_MAX;
use sortie_rules::proofs::Proof;
use sortie_rules::time::{Millis, Span};
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
    /// Until when its newest certificate holds.
    pub(crate) certificate_until: Millis,
    /// The SHA-256 of the public key that stands for the node now, in hex.
    pub(crate) key_fingerprint: String,
    /// Whether it gets no tasks until an operator has decided.
    pub(crate) quarantined: bool,
    /// With what it proved who it is.
    proof: Mutex<Noted>,
    /// What is said of its clock, and by how much it is ahead.
    clock: Mutex<Option<(ClockState, i64)>>,
    /// The key set that its agent has said it has, and the authority of its certificate.
    pub(crate) keys: Mutex<(u64, String)>,
    /// The newest key set of which it was told without being held, and which start of its agent was told.
    keys_told: Mutex<Option<(BootId, u64)>>,
    /// At least as many tasks as wait for it: counted up here, counted anew when it reaches the limit.
    pending_at_most: AtomicU64,
}

/// With what a node proved who it is, as it was written down.
#[derive(Debug, Clone, Copy)]
struct Noted {
    proof: Option<Proof>,
    /// When that was changed here.
    at: Option<Millis>,
}

/// How long a node's proof stands as it was written down: one that comes now this way and now that is not
/// written down with each request.
const PROOF_STANDS: Span = Span::seconds(30);

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

    /// What is known of a node's clock without asking the store.
    pub(crate) fn clock_of(&self, id: NodeId) -> Option<(ClockState, i64)> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).by_id.get(&id)?.clock()
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
            certificate_until: row.certificate_until,
            quarantined: row.quarantined_at.is_some(),
            proof: Mutex::new(Noted { proof: row.proof, at: None }),
            clock: Mutex::new(row.clock.zip(row.clock_skew_ms)),
            key_fingerprint: row.key_fingerprint,
            keys: Mutex::new((row.keys_version.unwrap_or(0), row.issued_by.unwrap_or_default())),
            keys_told: Mutex::new(None),
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
    /// Whether it is to be told of this key set without being held: each start of its agent is, once, for one that
    /// died over the keeping of it knows it no more.
    pub(crate) fn tell_of_keys(&self, boot: BootId, newest: u64) -> bool {
        let mut told = self.keys_told.lock().unwrap_or_else(PoisonError::into_inner);
        let is_news = told.is_none_or(|(to, version)| to != boot || version < newest);
        if is_news {
            *told = Some((boot, newest));
        }
        is_news
    }

    /// The node's clock is ahead by so much of the hub's, which was put forward by `moved_ms` since the hub began.
    /// Returns what is said of it from now on and what was before, if that differs and may be noted.
    pub(crate) fn shows(
        &self,
        skew_ms: i64,
        moved_ms: i64,
        may_be_noted: impl FnOnce() -> bool,
    ) -> Option<(ClockState, Option<ClockState>)> {
        let mut clock = self.clock.lock().unwrap_or_else(PoisonError::into_inner);
        let before = clock.map(|(said, _)| said);
        let said = look(before, skew_ms, moved_ms);
        if before == Some(said) || !may_be_noted() {
            *clock = before.map(|said| (said, skew_ms));
            return None;
        }
        *clock = Some((said, skew_ms));
        Some((said, before))
    }

    /// What is said of the node's clock, and by how much it is ahead.
    fn clock(&self) -> Option<(ClockState, i64)> {
        *self.clock.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The node has proved who it is. Returns what was known before, if that is to be written down anew.
    pub(crate) fn proves(&self, proof: Proof, now: Millis) -> Option<Option<Proof>> {
        let mut noted = self.proof.lock().unwrap_or_else(PoisonError::into_inner);
        if noted.proof == Some(proof) || noted.at.is_some_and(|at| now.since(at) < PROOF_STANDS) {
            return None;
        }
        let before = std::mem::replace(&mut *noted, Noted { proof: Some(proof), at: Some(now) });
        Some(before.proof)
    }

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
