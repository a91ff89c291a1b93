//! Where all held requests are found.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use sortie_rules::ids::{NodeId, TaskId};
use tokio::sync::watch;

use super::bells::TaskBells;
use super::line::{Line, Reservation};
use crate::replicas::{Bell, Beyond};

/// All that waits.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    lines: Mutex<HashMap<NodeId, Arc<Line>>>,
    /// Those who wait for tasks to end.
    pub(crate) ended: TaskBells,
    /// Those who wait for more of the logs of tasks.
    pub(crate) logs: TaskBells,
    /// The way to those who wait at other hubs, if there can be any.
    beyond: OnceLock<Beyond>,
    /// The number of the newest event, as far as anybody waits for it.
    pub(crate) news: watch::Sender<u64>,
}

impl Waiting {
    /// The line of a node, made when it is first asked for.
    pub(crate) fn line(&self, node: NodeId) -> Arc<Line> {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(lines.entry(node).or_default())
    }

    fn known(&self, node: NodeId) -> Option<Arc<Line>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).get(&node).cloned()
    }

    /// From now on bells ring at other hubs, too.
    pub(crate) fn ring_beyond(&self, beyond: Beyond) {
        let _ = self.beyond.set(beyond);
    }

    /// Tells a node's wait to look, wherever it is held. Without one the next wait looks first.
    pub(crate) fn ring(&self, node: NodeId) {
        self.ring_if_elsewhere(node, Bell::Tasks(node));
        // A line that was never asked for looks first anyway.
        if let Some(line) = self.known(node) {
            line.ring();
        }
    }

    /// Rings at the other hubs, unless the node's wait is held at this one.
    fn ring_if_elsewhere(&self, node: NodeId, bell: Bell) {
        if let Some(beyond) = self.beyond.get().filter(|_| !self.is_held(node)) {
            beyond.ring(bell);
        }
    }

    /// A task has ended: tells whoever waits for that, at any hub.
    pub(crate) fn ring_ended(&self, task: TaskId) {
        self.ended.ring(task);
        self.beyond.get().into_iter().for_each(|beyond| beyond.ring(Bell::Ended(task)));
    }

    /// A task's log has grown: tells whoever waits for that, at any hub.
    pub(crate) fn ring_log(&self, task: TaskId) {
        self.logs.ring(task);
        self.beyond.get().into_iter().for_each(|beyond| beyond.ring(Bell::Log(task)));
    }

    /// Another hub rings.
    pub(crate) fn ring_here(&self, bell: Bell) {
        match bell {
            Bell::Tasks(node) => self.known(node).into_iter().for_each(|line| line.ring()),
            Bell::Cancel(node, task) => {
                self.known(node).filter(|line| line.is_held()).into_iter().for_each(|line| line.ring_cancel(task));
            }
            Bell::Ended(task) => self.ended.ring(task),
            Bell::Log(task) => self.logs.ring(task),
            Bell::Line(node, arrivals) => {
                self.known(node).into_iter().for_each(|line| line.came_elsewhere(arrivals));
            }
        }
    }

    /// Bells of other hubs may have been lost: everybody who waits here looks.
    pub(crate) fn ring_all_here(&self) {
        let lines: Vec<_> =
            self.lines.lock().unwrap_or_else(PoisonError::into_inner).values().map(Arc::clone).collect();
        for line in lines {
            line.doubt_memory();
            line.ring();
        }
        self.ended.ring_all();
        self.logs.ring_all();
    }

    /// A node's line came to this hub: tells the others, so that they let go of what they hold for it.
    pub(crate) fn ring_line(&self, node: NodeId, arrivals: u64) {
        self.beyond.get().into_iter().for_each(|beyond| beyond.ring(Bell::Line(node, arrivals)));
    }

    /// A node's line may be elsewhere, or begun anew: a held wait ends, and the next one is judged by what is kept.
    pub(crate) fn doubt(&self, node: NodeId) {
        self.known(node).into_iter().for_each(|line| line.doubt());
    }

    /// The nodes whose waits are held now.
    pub(crate) fn held(&self) -> Vec<NodeId> {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().filter(|(_, line)| line.is_held()).map(|(node, _)| *node).collect()
    }

    /// Ends a node's held wait early.
    pub(crate) fn end_wait(&self, node: NodeId) {
        if let Some(line) = self.known(node) {
            line.end_wait();
        }
    }

    /// Tells a node that a task of its should stop.
    pub(crate) fn ring_cancel(&self, node: NodeId, task: TaskId) {
        self.ring_if_elsewhere(node, Bell::Cancel(node, task));
        self.line(node).ring_cancel(task);
    }

    /// Takes a node's held wait, to hand it a task that is about to be written.
    pub(crate) fn reserve(&self, node: NodeId) -> Option<Reservation> {
        Line::reserve(&self.known(node)?)
    }

    /// Forgets a node's line: it enrolled anew or was revoked. A held wait ends.
    pub(crate) fn forget(&self, node: NodeId) {
        let line = self.lines.lock().unwrap_or_else(PoisonError::into_inner).remove(&node);
        if let Some(line) = line {
            line.close();
        }
    }

    /// Whether a wait of this node is held now: a sign of life.
    pub(crate) fn is_held(&self, node: NodeId) -> bool {
        self.known(node).is_some_and(|line| line.is_held())
    }
}
