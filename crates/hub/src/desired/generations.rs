//! The generation of each node that asked lately, so that no wait costs a query, and which of them its agent was told.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use sortie_rules::ids::{BootId, NodeId};
use sortie_store::desired::pins;
use sortie_store::{Store, StoreError};

/// What is known of the nodes' generations.
#[derive(Debug, Default)]
pub(crate) struct Generations(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    of_node: HashMap<NodeId, Entry>,
    /// Rises when something is forgotten: what was read before that is not remembered after it.
    changes: u64,
}

#[derive(Debug, Default, Clone, Copy)]
struct Entry {
    generation: Option<u64>,
    /// Which generation was told last to which start of the node's agent.
    told: Option<(BootId, u64)>,
}

impl Generations {
    /// A node's generation; 0 if nothing was ever published for it.
    pub(crate) async fn of(&self, store: &Store, node: NodeId) -> Result<u64, StoreError> {
        let before = {
            let known = self.known();
            if let Some(generation) = known.of_node.get(&node).and_then(|entry| entry.generation) {
                return Ok(generation);
            }
            known.changes
        };
        let row = store.read(move |tx| Box::pin(async move { pins::get(tx, node).await })).await?;
        let generation = row.map_or(0, |row| row.generation);
        let mut known = self.known();
        if known.changes == before {
            let entry = known.of_node.entry(node).or_default();
            entry.generation = entry.generation.max(Some(generation));
        }
        Ok(generation)
    }

    /// The same, for a delivery to this start of the node's agent.
    pub(crate) async fn tell(&self, store: &Store, node: NodeId, boot: BootId) -> Result<u64, StoreError> {
        let generation = self.of(store, node).await?;
        self.known().of_node.entry(node).or_default().told = Some((boot, generation));
        Ok(generation)
    }

    /// Whether this start of a node's agent has something to hear: then its wait is not held. Where nothing is known
    /// and it was told before, the next delivery tells it.
    pub(crate) fn is_news(&self, node: NodeId, boot: BootId) -> bool {
        let entry = self.known().of_node.get(&node).copied().unwrap_or_default();
        match entry.generation {
            None => entry.told.is_none_or(|(to, _)| to != boot),
            Some(0) => false,
            generation => entry.told.map(|(to, told)| (to, Some(told))) != Some((boot, generation)),
        }
    }

    /// A node's generation has risen to this. Call it after the commit. `false` if that was known.
    pub(super) fn risen(&self, node: NodeId, generation: u64) -> bool {
        let mut known = self.known();
        let entry = known.of_node.entry(node).or_default();
        let is_news = entry.generation < Some(generation);
        entry.generation = entry.generation.max(Some(generation));
        is_news
    }

    /// A node's generation has changed, or may have.
    pub(crate) fn forget(&self, node: NodeId) {
        let mut known = self.known();
        known.changes += 1;
        if let Some(entry) = known.of_node.get_mut(&node) {
            *entry = Entry::default();
        }
    }

    /// Something of a node has changed that hardly touches its generation: it is read again with its next wait, and a
    /// wait that is held stays held.
    pub(crate) fn doubt(&self, node: NodeId) {
        let mut known = self.known();
        known.changes += 1;
        if let Some(entry) = known.of_node.get_mut(&node) {
            entry.generation = None;
        }
    }

    /// Any node's generation may have changed. Waits that are held stay held: a database that was away is no news.
    pub(crate) fn forget_all(&self) {
        let mut known = self.known();
        known.changes += 1;
        known.of_node.values_mut().for_each(|entry| entry.generation = None);
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sortie_rules::ids::Id;
    use uuid::Uuid;

    fn id<K>(number: u128) -> Id<K> {
        Id::from_uuid(Uuid::from_u128(number))
    }

    #[test]
    fn each_start_of_an_agent_is_told_of_each_generation_once() {
        let (generations, node, boot) = (Generations::default(), id(1), id(2));
        assert!(generations.is_news(node, boot), "nothing is known");
        generations.risen(node, 3);
        assert!(generations.is_news(node, boot));
        generations.known().of_node.entry(node).or_default().told = Some((boot, 3));
        assert!(!generations.is_news(node, boot));
        assert!(generations.is_news(node, id(3)), "it was started again");
        generations.risen(node, 2);
        assert!(!generations.is_news(node, boot), "no generation goes back");
        generations.risen(node, 4);
        assert!(generations.is_news(node, boot));
        generations.known().of_node.entry(node).or_default().told = Some((boot, 4));
        generations.doubt(node);
        assert!(!generations.is_news(node, boot), "nothing says that it changed");
        generations.forget_all();
        assert!(!generations.is_news(node, boot), "nothing says that it changed");
        generations.forget(node);
        assert!(generations.is_news(node, boot));
    }
}
