//! Whether the hub would do what it is asked now: what a balancer wants to know before it sends somebody here.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sortie_store::{StoreError, meta};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

use crate::app::Shared;
use crate::clock::Stopwatch;

/// For how long an answer holds: however many ask, the store is written once in that time.
const HOLDS: f64 = 1.0;
/// How long the store may take.
const STORE_MAX: Duration = Duration::from_secs(2);
/// Under which word the store remembers that it was written.
const READY_AT: &str = "ready_at";

/// Why a hub is not ready, for whoever reads the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotReady {
    /// It was asked to stop.
    Stopping,
    /// Its keys are not where it keeps them: it could not start again, nor rotate.
    KeysMissing,
    /// They have changed in its database, sealed with another master key than its own: it would use former ones.
    KeysUnknown,
    /// What it would acknowledge cannot be written.
    StoreUnwritable,
}

impl NotReady {
    /// The line that says so.
    pub(crate) fn line(self) -> &'static str {
        match self {
            NotReady::Stopping => "stopping\n",
            NotReady::KeysMissing => "the hub's keys are missing\n",
            NotReady::KeysUnknown => "the hub's keys have changed, and its master key does not open them\n",
            NotReady::StoreUnwritable => "the store cannot be written\n",
        }
    }
}

/// What is known of it.
#[derive(Debug, Default)]
pub(crate) struct Readiness {
    stopping: AtomicBool,
    looked: Mutex<Looked>,
}

#[derive(Debug, Default)]
struct Looked {
    newest: Option<(Stopwatch, Result<(), NotReady>)>,
    /// A write that has not come back. Until it does no other is begun.
    under_way: Option<JoinHandle<Result<(), StoreError>>>,
}

impl Readiness {
    /// From now on it is not ready, whatever else holds.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Whether it was asked to stop.
    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// Looks, unless somebody has a moment ago.
    pub(crate) async fn look(&self, app: &Shared) -> Result<(), NotReady> {
        if self.is_stopping() || app.stop.is_cancelled() {
            return Err(NotReady::Stopping);
        }
        let mut looked = self.looked.lock().await;
        if let Some((since, result)) = looked.newest
            && since.seconds() < HOLDS
        {
            return result;
        }
        let result = match (app.keys_are_kept(), app.ring.is_known()) {
            (true, true) => written(app, &mut looked.under_way).await,
            (true, false) => Err(NotReady::KeysUnknown),
            (false, _) => Err(NotReady::KeysMissing),
        };
        looked.newest = Some((Stopwatch::start(), result));
        metrics::gauge!("sortie_ready").set(f64::from(u8::from(result.is_ok())));
        result
    }
}

/// Writes to the store, or waits for the write that is under way.
async fn written(app: &Shared, under_way: &mut Option<JoinHandle<Result<(), StoreError>>>) -> Result<(), NotReady> {
    let begin = || {
        let (store, now) = (app.store.clone(), app.clock.now().0.to_string());
        tokio::spawn(async move {
            store.write(move |tx| Box::pin(async move { meta::set(tx, READY_AT, &now).await })).await
        })
    };
    let ended = tokio::time::timeout(STORE_MAX, under_way.get_or_insert_with(begin)).await;
    if ended.is_ok() {
        *under_way = None;
    }
    match ended {
        Ok(Ok(Ok(()))) => Ok(()),
        Ok(_) | Err(_) => Err(NotReady::StoreUnwritable),
    }
}
