//! What this room keeps in memory: how far the leader has come, who its orgs tell, and what is under way.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex as Lock, PoisonError};

use sortie_rules::ids::OrgId;
use sortie_rules::notifications::{Audience, Channel};
use tokio::sync::{Mutex, Notify};
use tokio_util::task::TaskTracker;

use super::words::Failed;

/// Dispatches under way at once by one way: a way that is slow holds up no other.
const AT_ONCE: usize = 12;
/// Dispatches under way to the host of one webhook at once: one side that is slow holds up few others.
const AT_ONCE_PER_HOST: usize = 4;

/// How many are under way by which way, and where to.
type UnderWay = HashMap<(Channel, String), usize>;

/// What is in memory of notifications.
#[derive(Debug, Default)]
pub(crate) struct Notifications {
    bell: Arc<Notify>,
    /// Two turns never overlap within a hub.
    pub(super) place: Mutex<Place>,
    under_way: Arc<Lock<UnderWay>>,
    /// Which templates failed, and how: each is told once.
    failed: Lock<HashSet<(OrgId, Failed)>>,
    /// Every dispatch under way, for an orderly stop.
    pub(crate) tries: TaskTracker,
}

/// How far a leader has come.
#[derive(Debug, Default)]
pub(super) struct Place {
    /// The number up to which it is written down that events were followed; nothing: not read yet.
    pub(super) written: Option<u64>,
    /// The number up to which they were looked through. Those in between meant nothing.
    pub(super) seen: u64,
    /// Who is told of what, of the orgs of which something happened lately.
    pub(super) audiences: HashMap<OrgId, Arc<Audience>>,
}

/// A place for a dispatch under way, given back when dropped.
#[derive(Debug)]
pub(super) struct Pass {
    under_way: Arc<Lock<UnderWay>>,
    to: (Channel, String),
}

impl Notifications {
    /// Rings when there may be something to tell.
    pub(crate) fn bell(&self) -> Arc<Notify> {
        Arc::clone(&self.bell)
    }

    /// There may be something to tell.
    pub(crate) fn ring(&self) {
        self.bell.notify_one();
    }

    /// Whether it was told already that this template fails so.
    pub(super) fn is_told(&self, org: OrgId, failed: &Failed) -> bool {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).contains(&(org, failed.clone()))
    }

    /// It is told by now.
    pub(super) fn was_told(&self, org: OrgId, failed: Failed) {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).insert((org, failed));
    }

    /// An org's templates may be others by now.
    pub(super) fn changed(&self, org: OrgId) {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).retain(|(of, _)| *of != org);
    }

    /// How many dispatches may be begun by this way.
    pub(super) fn free(&self, channel: Channel) -> usize {
        free(&self.under_way.lock().unwrap_or_else(PoisonError::into_inner), channel)
    }

    /// A place for one by this way to this host, if one is free.
    pub(super) fn enter(&self, channel: Channel, host: &str) -> Option<Pass> {
        let most = if channel == Channel::Webhook { AT_ONCE_PER_HOST } else { AT_ONCE };
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        let to = (channel, host.to_owned());
        if free(&under_way, channel) == 0 || under_way.get(&to).is_some_and(|there| *there >= most) {
            return None;
        }
        *under_way.entry(to.clone()).or_insert(0) += 1;
        Some(Pass { under_way: Arc::clone(&self.under_way), to })
    }
}

fn free(under_way: &UnderWay, channel: Channel) -> usize {
    let by_it = under_way.iter().filter(|((by, _), _)| *by == channel);
    AT_ONCE.saturating_sub(by_it.map(|(_, there)| there).sum())
}

impl Drop for Pass {
    fn drop(&mut self) {
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(there) = under_way.get_mut(&self.to) {
            *there -= 1;
            if *there == 0 {
                under_way.remove(&self.to);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_host_that_is_slow_leaves_room_for_others() {
        let memory = Notifications::default();
        let slow: Vec<_> = (0..AT_ONCE).filter_map(|_| memory.enter(Channel::Webhook, "slow")).collect();
        assert_eq!((slow.len(), memory.free(Channel::Webhook)), (AT_ONCE_PER_HOST, AT_ONCE - AT_ONCE_PER_HOST));
        assert!(memory.enter(Channel::Webhook, "other").is_some());
        drop(slow);
        assert_eq!(memory.free(Channel::Webhook), AT_ONCE);
    }

    #[test]
    fn webhooks_that_are_slow_leave_mails_their_places() {
        let memory = Notifications::default();
        let slow: Vec<_> =
            (0..20).filter_map(|number| memory.enter(Channel::Webhook, &format!("slow-{number}"))).collect();
        assert_eq!((slow.len(), memory.free(Channel::Webhook)), (AT_ONCE, 0));
        let mails: Vec<_> = (0..20).filter_map(|_| memory.enter(Channel::Mail, "")).collect();
        assert_eq!((mails.len(), memory.free(Channel::Mail)), (AT_ONCE, 0));
        assert!(memory.enter(Channel::Console, "").is_some());
    }
}
