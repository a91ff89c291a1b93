//! Rings for nodes whose tasks come due: a `not_before` or a wait before a retry has passed.

use std::sync::atomic::{AtomicI64, Ordering};

use sortie_rules::time::{Millis, Span};
use sortie_store::tasks;

use crate::app::App;
use crate::fault::Fault;

/// Most nodes woken at once; the rest follow with the next look.
const BATCH: u32 = 5000;
/// How far a look reaches back over the one before: a row may be committed after the look that its
/// time belonged to. Ringing twice does no harm.
const OVERLAP: Span = Span::seconds(5);

/// Remembers up to when nodes have been woken.
#[derive(Debug)]
pub(crate) struct WakeDue(AtomicI64);

impl WakeDue {
    /// Begins at the hub's start: every line looks once by itself after that.
    pub(crate) fn new(now: Millis) -> WakeDue {
        WakeDue(AtomicI64::new(now.0))
    }

    /// Rings for what came due since the last look. Returns for how many nodes.
    pub(crate) async fn wake(&self, app: &App) -> Result<u64, Fault> {
        let (after, now) = (Millis(self.0.load(Ordering::Relaxed)) - OVERLAP, app.clock.now());
        let due =
            app.store.read(move |tx| Box::pin(async move { tasks::due_between(tx, after, now, BATCH).await })).await?;
        if due.len() < BATCH as usize {
            self.0.store(now.0, Ordering::Relaxed);
        }
        due.iter().for_each(|node| app.waiting.ring(*node));
        Ok(due.len() as u64)
    }
}
