//! Bells for those who wait for something of a task: its end, or a piece of its log.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use sortie_rules::ids::TaskId;
use tokio::sync::oneshot;

/// Who waits for which task.
#[derive(Debug, Default)]
pub(crate) struct TaskBells(Mutex<HashMap<TaskId, Vec<oneshot::Sender<()>>>>);

impl TaskBells {
    /// Waits for the bell of a task. Ask the store again after subscribing: it may have rung a moment
    /// before.
    pub(crate) fn subscribe(&self, task: TaskId) -> oneshot::Receiver<()> {
        let (sender, receiver) = oneshot::channel();
        let mut bells = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let waiters = bells.entry(task).or_default();
        waiters.retain(|waiter| !waiter.is_closed());
        waiters.push(sender);
        receiver
    }

    /// Rings for a task.
    pub(crate) fn ring(&self, task: TaskId) {
        let waiters = self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&task);
        for waiter in waiters.into_iter().flatten() {
            let _ = waiter.send(());
        }
    }

    /// Rings for every task: a bell may have been lost.
    pub(crate) fn ring_all(&self) {
        let waiters = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        for waiter in waiters.into_values().flatten() {
            let _ = waiter.send(());
        }
    }

    /// Forgets those who no longer wait.
    pub(crate) fn tidy(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|_, waiters| {
            waiters.retain(|waiter| !waiter.is_closed());
            !waiters.is_empty()
        });
    }
}
