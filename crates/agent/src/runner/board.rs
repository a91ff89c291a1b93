//! What the agent holds at this moment: which runs wait, which are under way, which have ended and
//! are not yet reported. The ledger is the truth over a crash; this is the truth between two.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use sortie_rules::ids::TaskId;
use sortie_rules::limits::{HELD_TASKS_MAX, TASKS_PER_DELIVERY_MAX};
use sortie_rules::time::Span;
use sortie_wire::deliveries::HandedTask;
use sortie_wire::heartbeat::Held;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::ledger::RunKey;

/// Results without a receipt beyond which no new work is taken.
const UNREPORTED_MAX: usize = 10_000;

/// A run that has not begun.
#[derive(Debug)]
pub(crate) struct Waiting {
    /// The task as it was handed out.
    pub(crate) handed: HandedTask,
    /// Whether its start is on disk already.
    pub(crate) start_is_written: bool,
}

/// A run that begins now.
#[derive(Debug)]
pub(crate) struct Begun {
    pub(super) waiting: Waiting,
    /// Rings when it shall stop.
    pub(super) stop: CancellationToken,
}

/// What became of the wish to cancel a task.
#[derive(Debug)]
pub(crate) enum Cancel {
    /// It had not begun and never will.
    Withdrawn(Box<Waiting>),
    /// It is under way; its handler was told.
    Told,
    /// It is not held, or has ended.
    NotHeld,
}

/// What the agent holds.
#[derive(Debug)]
pub(crate) struct Board {
    concurrency: usize,
    prefetch: usize,
    inner: Mutex<Inner>,
    /// Rings when there is room again after there was none.
    pub(crate) room_bell: Notify,
    /// Rings when something is held after nothing was.
    pub(crate) held_bell: Notify,
}

#[derive(Debug, Default)]
struct Inner {
    held: BTreeMap<RunKey, HeldRun>,
    queue: VecDeque<Waiting>,
    running: usize,
    ended: usize,
    stopping: bool,
}

#[derive(Debug)]
struct HeldRun {
    attempt: u32,
    lease: Span,
    at: Phase,
}

#[derive(Debug)]
enum Phase {
    Waiting,
    Running { stop: CancellationToken, told: bool },
    Ended,
}

fn key(handed: &HandedTask) -> RunKey {
    RunKey { task: handed.id, run: handed.run }
}

impl Board {
    pub(crate) fn new(concurrency: u32, prefetch: u32) -> Board {
        Board {
            concurrency: concurrency.max(1) as usize,
            prefetch: prefetch as usize,
            inner: Mutex::default(),
            room_bell: Notify::new(),
            held_bell: Notify::new(),
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many tasks to ask for. None while enough are at hand: a few large deliveries cost less
    /// than many small ones.
    pub(crate) fn room(&self) -> u32 {
        let inner = self.inner();
        let enough = inner.running >= self.concurrency && inner.queue.len() > self.prefetch / 2;
        if enough || inner.stopping || inner.ended >= UNREPORTED_MAX {
            return 0;
        }
        let room = (self.concurrency + self.prefetch).saturating_sub(inner.running + inner.queue.len());
        u32::try_from(room).unwrap_or(u32::MAX).min(TASKS_PER_DELIVERY_MAX)
    }

    /// How many tasks would begin at once if they came now.
    pub(crate) fn idle(&self) -> usize {
        let inner = self.inner();
        if inner.queue.is_empty() && !inner.stopping { self.concurrency.saturating_sub(inner.running) } else { 0 }
    }

    /// Takes runs that are on disk, in order.
    pub(crate) fn admit(&self, runs: impl IntoIterator<Item = Waiting>) {
        let mut inner = self.inner();
        let had_none = inner.held.is_empty();
        for waiting in runs {
            let HandedTask { attempt, lease, .. } = waiting.handed;
            inner.held.insert(key(&waiting.handed), HeldRun { attempt, lease, at: Phase::Waiting });
            inner.queue.push_back(waiting);
        }
        if had_none && !inner.held.is_empty() {
            self.held_bell.notify_one();
        }
    }

    /// The next run that may begin now.
    pub(crate) fn begin(&self) -> Option<Begun> {
        let mut inner = self.inner();
        if inner.stopping || inner.running >= self.concurrency {
            return None;
        }
        let mut waiting = inner.queue.pop_front()?;
        let stop = CancellationToken::new();
        if let Some(held) = inner.held.get_mut(&key(&waiting.handed)) {
            waiting.handed.attempt = held.attempt;
            held.at = Phase::Running { stop: stop.clone(), told: false };
        }
        inner.running += 1;
        Some(Begun { waiting, stop })
    }

    /// A run that began before this start goes on.
    pub(super) fn go_on(&self, handed: &HandedTask) {
        let mut inner = self.inner();
        let had_none = inner.held.is_empty();
        let HandedTask { attempt, lease, .. } = *handed;
        let at = Phase::Running { stop: CancellationToken::new(), told: false };
        inner.held.insert(key(handed), HeldRun { attempt, lease, at });
        inner.running += 1;
        if had_none {
            self.held_bell.notify_one();
        }
    }

    /// A run has ended: its place is free. Says the newest attempt and whether its handler was told
    /// to stop.
    pub(super) fn end(&self, run: RunKey) -> (Option<u32>, bool) {
        let mut inner = self.inner();
        inner.running -= 1;
        let Some(held) = inner.held.get_mut(&run) else { return (None, false) };
        let told = matches!(held.at, Phase::Running { told: true, .. });
        held.at = Phase::Ended;
        let attempt = held.attempt;
        inner.ended += 1;
        self.ring_if_room(&inner);
        (Some(attempt), told)
    }

    /// Runs that ended without having begun here (cancelled in the queue, or in a crash) and whose
    /// results are not yet reported.
    pub(crate) fn note_ended(&self, handed: &HandedTask) {
        let mut inner = self.inner();
        inner.ended += 1;
        let HandedTask { attempt, lease, .. } = *handed;
        inner.held.insert(key(handed), HeldRun { attempt, lease, at: Phase::Ended });
        self.ring_if_room(&inner);
    }

    /// Receipts have come for these runs.
    pub(crate) fn reported(&self, runs: &[RunKey]) {
        let mut inner = self.inner();
        for run in runs {
            if matches!(inner.held.get(run), Some(HeldRun { at: Phase::Ended, .. })) {
                inner.held.remove(run);
                inner.ended = inner.ended.saturating_sub(1);
            }
        }
        self.ring_if_room(&inner);
    }

    /// A held run was handed out again under a newer attempt.
    pub(crate) fn take_attempt(&self, handed: &HandedTask) {
        if let Some(held) = self.inner().held.get_mut(&key(handed)) {
            held.attempt = held.attempt.max(handed.attempt);
        }
    }

    /// Someone wants a task stopped.
    pub(crate) fn cancel(&self, task: TaskId) -> Cancel {
        let mut inner = self.inner();
        if let Some(index) = inner.queue.iter().position(|waiting| waiting.handed.id == task)
            && let Some(waiting) = inner.queue.remove(index)
        {
            inner.held.remove(&key(&waiting.handed));
            self.ring_if_room(&inner);
            return Cancel::Withdrawn(Box::new(waiting));
        }
        let runs = RunKey { task, run: 0 }..=RunKey { task, run: u32::MAX };
        for (_, held) in inner.held.range_mut(runs) {
            if let Phase::Running { stop, told } = &mut held.at {
                *told = true;
                stop.cancel();
                return Cancel::Told;
            }
        }
        Cancel::NotHeld
    }

    /// Takes a run out of the queue, if it waits there under this very attempt.
    pub(crate) fn take_waiting(&self, task: TaskId, attempt: u32) -> Option<Waiting> {
        let mut inner = self.inner();
        let index = inner.queue.iter().position(|waiting| waiting.handed.id == task)?;
        let run = key(&inner.queue[index].handed);
        if inner.held.get(&run).is_none_or(|held| held.attempt != attempt) {
            return None;
        }
        let waiting = inner.queue.remove(index)?;
        inner.held.remove(&run);
        self.ring_if_room(&inner);
        Some(waiting)
    }

    /// Everything that is held, as a heartbeat says it, and the shortest lease of it.
    pub(crate) fn held(&self) -> Option<(Vec<Held>, Span)> {
        let inner = self.inner();
        let shortest = inner.held.values().map(|held| held.lease).min()?;
        let held = inner.held.iter().take(HELD_TASKS_MAX);
        Some((held.map(|(run, held)| Held { task: run.task, attempt: held.attempt }).collect(), shortest))
    }

    /// How many runs are under way.
    pub(crate) fn running(&self) -> usize {
        self.inner().running
    }

    /// From now on nothing begins and nothing is asked for.
    pub(crate) fn stop(&self) {
        self.inner().stopping = true;
    }

    fn ring_if_room(&self, inner: &Inner) {
        if inner.queue.len() <= self.prefetch / 2 {
            self.room_bell.notify_one();
        }
    }
}
