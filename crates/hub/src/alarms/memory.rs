//! What this room keeps in memory: the rules that were read lately, and how far the leader has come.

use std::sync::Arc;

use tokio::sync::{Mutex, Notify};

use super::rules::{PackRule, Rules};
use crate::clock::Steady;

/// What is in memory of alarms.
#[derive(Debug, Default)]
pub(crate) struct Alarms {
    /// By which rules orgs judge.
    pub(crate) rules: Rules,
    bell: Arc<Notify>,
    /// Two turns never overlap within a hub.
    pub(super) place: Mutex<Place>,
}

/// How far a leader has come.
#[derive(Debug, Default)]
pub(super) struct Place {
    /// The number up to which it is written down that events were followed; nothing: not read yet.
    pub(super) written: Option<u64>,
    /// The number up to which they were looked through. Those in between meant nothing.
    pub(super) seen: u64,
    /// With which rules of packs it was looked for what they judge no more.
    pub(super) swept: Option<Arc<Vec<PackRule>>>,
    /// When that was, if it is to be looked once more.
    pub(super) swept_at: Option<Steady>,
}

impl Place {
    /// How far it was followed is to be read again.
    pub(super) fn read_anew(&mut self) {
        (self.written, self.seen) = (None, 0);
    }
}

impl Alarms {
    /// With these rules of packs.
    pub(crate) fn new(packs: Vec<PackRule>) -> Alarms {
        let alarms = Alarms::default();
        alarms.rules.set_packs(packs);
        alarms
    }

    /// Rings when there may be news for the leader.
    pub(crate) fn bell(&self) -> Arc<Notify> {
        Arc::clone(&self.bell)
    }

    /// There may be news.
    pub(crate) fn ring(&self) {
        self.bell.notify_one();
    }
}
