//! What the loop of jobs keeps in memory: nothing that it could not do without.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sortie_rules::ids::JobId;
use sortie_rules::time::{Millis, Span};
use tokio::sync::Notify;

/// How often a job is looked through for nodes that were revoked.
const REVOKED_EVERY: Span = Span::seconds(2);

/// What the loop keeps in memory: nothing that it could not do without.
#[derive(Debug, Default)]
pub(crate) struct Advance {
    /// How many jobs were not over at the last look.
    open: AtomicUsize,
    bell: Arc<Notify>,
    looked: Mutex<HashMap<JobId, Looked>>,
}

/// What was looked at of a job.
#[derive(Debug, Default)]
struct Looked {
    /// Up to which place its waiting nodes were looked through.
    place: u32,
    /// When it was last looked for revoked ones.
    revoked_at: Option<Millis>,
}

impl Advance {
    /// Rings when a job may go on.
    pub(crate) fn bell(&self) -> Arc<Notify> {
        Arc::clone(&self.bell)
    }

    /// A task has ended; if there are jobs, one may go on.
    pub(crate) fn nudge(&self) {
        if self.open.load(Ordering::Relaxed) > 0 {
            self.bell.notify_one();
        }
    }

    /// A job was made, or steered.
    pub(crate) fn nudge_new(&self) {
        self.bell.notify_one();
    }

    fn looked(&self) -> MutexGuard<'_, HashMap<JobId, Looked>> {
        self.looked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn place(&self, job: JobId) -> u32 {
        self.looked().get(&job).map_or(0, |looked| looked.place)
    }

    pub(super) fn set_place(&self, job: JobId, place: u32) {
        self.looked().entry(job).or_default().place = place;
    }

    /// Whether it is time to look for revoked nodes of a job; if so, it was.
    pub(super) fn may_look_for_revoked(&self, job: JobId, now: Millis) -> bool {
        let mut all = self.looked();
        let looked = all.entry(job).or_default();
        let is_time = looked.revoked_at.is_none_or(|at| now.since(at) >= REVOKED_EVERY);
        if is_time {
            looked.revoked_at = Some(now);
        }
        is_time
    }

    /// These are the jobs that are not over; what is known of others is forgotten.
    pub(super) fn keep(&self, open: &[JobId]) {
        self.open.store(open.len(), Ordering::Relaxed);
        self.looked().retain(|job, _| open.binary_search(job).is_ok());
    }
}
