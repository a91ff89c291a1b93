//! What the loops of desired state share: what was accepted, what was refused, and what is known of the resources.

use std::sync::{Arc, Mutex, PoisonError};

use sortie_wire::desired::{Observed, RefusedGeneration};
use tokio::sync::{Notify, watch};

use super::kept::Kept;
use super::memory::Memory;
use crate::clock::Clock;

/// What they share.
#[derive(Debug)]
pub(crate) struct Desk {
    accepted: watch::Sender<Arc<Kept>>,
    refused: Mutex<Option<RefusedGeneration>>,
    pub(super) memory: Memory,
    /// Rings when there may be something to tell.
    pub(super) bell: Notify,
    clock: Clock,
}

impl Desk {
    /// With what lies on disk.
    pub(crate) fn new(kept: Kept, memory: Memory, clock: Clock) -> Desk {
        let accepted = watch::Sender::new(Arc::new(kept));
        Desk { accepted, refused: Mutex::default(), memory, bell: Notify::new(), clock }
    }

    /// What was accepted last.
    pub(super) fn accepted(&self) -> Arc<Kept> {
        Arc::clone(&self.accepted.borrow())
    }

    /// Tells when something else is accepted.
    pub(super) fn changes(&self) -> watch::Receiver<Arc<Kept>> {
        self.accepted.subscribe()
    }

    /// This is accepted from now on, and is on disk.
    pub(super) fn accept(&self, kept: Kept) {
        self.set_refused(None);
        self.accepted.send_replace(Arc::new(kept));
        self.bell.notify_one();
    }

    /// This is not accepted. Says whether that is news.
    pub(super) fn refuse(&self, refused: RefusedGeneration) -> bool {
        let is_news = self.set_refused(Some(refused));
        if is_news {
            self.bell.notify_one();
        }
        is_news
    }

    /// Notes why the site's policy cannot be used, or that it can.
    pub(crate) fn note_policy(&self, unusable: Option<&str>) {
        if self.memory.note_policy(unusable, self.clock.now()) {
            self.bell.notify_one();
        }
    }

    /// What there is to tell; `None` if nothing was ever published for this node, and the hub knows of nothing else.
    pub(super) fn observed(&self) -> Option<Observed> {
        let kept = self.accepted();
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if kept.state.is_none() && refused.is_none() && !self.memory.must_tell_of_policy() {
            return None;
        }
        let resources = kept.state.as_ref().map(|state| &state.resources);
        Some(self.memory.observed(kept.accepted.generation, resources, self.clock.now(), refused))
    }

    fn set_refused(&self, refused: Option<RefusedGeneration>) -> bool {
        let mut before = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        let is_news = *before != refused;
        *before = refused;
        is_news
    }
}
