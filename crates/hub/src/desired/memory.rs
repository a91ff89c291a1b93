//! What this room keeps in memory: nothing that it could not do without.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use sortie_rules::ids::PublicationId;
use sortie_rules::limits::STATES_IN_MEMORY_MAX;
use sortie_store::desired::publications::{self, LayerKey};
use sortie_store::{StoreError, Tx};
use tokio::sync::Notify;

use super::generations::Generations;
use super::merged::MergedLayers;

/// What is in memory of desired states.
#[derive(Debug, Default)]
pub(crate) struct Desired {
    /// The generations of nodes.
    pub(crate) generations: Generations,
    /// How many publications were not over at the last look.
    open: AtomicUsize,
    bell: Arc<Notify>,
    /// What revisions of layers say. They never change.
    states: Mutex<HashMap<(LayerKey, u64), Arc<Value>>>,
    /// What they come to for nodes.
    pub(super) merged: MergedLayers,
    /// How far the look at old publications has come; it begins anew at the end, and after a start.
    walk: Mutex<Option<PublicationId>>,
}

impl Desired {
    /// Rings when a publication may go on.
    pub(crate) fn bell(&self) -> Arc<Notify> {
        Arc::clone(&self.bell)
    }

    /// A node has said how it stands; if there are publications, one may go on.
    pub(super) fn nudge(&self) {
        if self.open.load(Ordering::Relaxed) > 0 {
            self.bell.notify_one();
        }
    }

    /// A publication was made, or steered.
    pub(super) fn nudge_new(&self) {
        self.bell.notify_one();
    }

    pub(super) fn set_open(&self, open: usize) {
        self.open.store(open, Ordering::Relaxed);
    }

    /// After which publication the next look at old ones begins.
    pub(super) fn walk(&self) -> Option<PublicationId> {
        *self.walk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn walk_on(&self, last: Option<PublicationId>) {
        *self.walk.lock().unwrap_or_else(PoisonError::into_inner) = last;
    }

    /// What a revision of a layer says.
    pub(crate) async fn state(&self, tx: &mut Tx, key: &LayerKey, revision: u64) -> Result<Arc<Value>, StoreError> {
        let name = (key.clone(), revision);
        if let Some(state) = self.states.lock().unwrap_or_else(PoisonError::into_inner).get(&name) {
            return Ok(Arc::clone(state));
        }
        let text = publications::state_of_revision(tx, key, revision).await?;
        let corrupt = |why: String| StoreError::Corrupt { table: "publications", column: "state", why };
        let text = text.ok_or_else(|| corrupt(format!("of revision {revision} of {key:?} is not there")))?;
        let state = serde_json::from_str(&text).map_err(|error| corrupt(error.to_string()))?;
        let state = Arc::new(state);
        let mut states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        if states.len() >= STATES_IN_MEMORY_MAX {
            states.clear();
        }
        states.insert(name, Arc::clone(&state));
        Ok(state)
    }
}
