//! Connections that have been taken and have asked for nothing yet.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::watch;

/// How many there are.
#[derive(Debug, Clone, Default)]
pub(super) struct Newcomers(Arc<watch::Sender<usize>>);

/// One of them.
#[derive(Debug)]
pub(super) struct Newcomer {
    all: Newcomers,
    asked: AtomicBool,
}

impl Newcomers {
    /// One more.
    pub(super) fn enter(&self) -> Newcomer {
        self.0.send_modify(|count| *count += 1);
        Newcomer { all: self.clone(), asked: AtomicBool::new(false) }
    }

    /// Returns once each has asked for something, or has gone.
    pub(super) async fn have_asked(&self) {
        // The sender is here, so this only ends when none is left.
        let _ = self.0.subscribe().wait_for(|count| *count == 0).await;
    }
}

impl Newcomer {
    /// It asks for something, for the first time or again.
    pub(super) fn asks(&self) {
        if !self.asked.swap(true, Ordering::Relaxed) {
            self.all.0.send_modify(|count| *count -= 1);
        }
    }

    /// Whether it has.
    pub(super) fn has_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }
}

impl Drop for Newcomer {
    fn drop(&mut self) {
        self.asks();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn whoever_has_asked_or_gone_is_not_waited_for() {
        let newcomers = Newcomers::default();
        let (asks, goes) = (newcomers.enter(), newcomers.enter());
        let mut waiting = Box::pin(newcomers.have_asked());
        assert!(futures_util::poll!(&mut waiting).is_pending());
        asks.asks();
        asks.asks();
        assert!(futures_util::poll!(&mut waiting).is_pending());
        drop(goes);
        waiting.await;
    }
}
