//! A run's log as its handler holds it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sortie_rules::masking::Masker;
use sortie_rules::progress::{Progress, read_progress};
use sortie_rules::redaction::redact;
use sortie_wire::logs::TaskProgress;
use tokio::sync::Notify;

use super::spool::Spool;
use crate::clock::Clock;

/// How much of a run's last words goes into the message of its end, in bytes.
const LAST_WORDS_BYTES_MAX: usize = 300;

/// Where a handler says what it does. Cheap to clone; writing never blocks and never fails: what cannot
/// be kept is left out, since a full disk is no reason to stop the work.
///
/// What the task's type declares secret is masked before it is written anywhere.
#[derive(Clone)]
pub struct TaskLog(Arc<Inner>);

struct Inner {
    state: Mutex<State>,
    /// What is masked, for words that go elsewhere.
    secrets: Vec<String>,
    /// Rings for the shipper.
    bell: Arc<Notify>,
    clock: Clock,
}

struct State {
    masker: Masker,
    /// `None` if there is no place to keep it.
    spool: Option<Spool>,
    progress: Option<TaskProgress>,
    progress_is_news: bool,
    has_ended: bool,
    trouble_was_told: bool,
}

impl std::fmt::Debug for TaskLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TaskLog")
    }
}

impl TaskLog {
    pub(super) fn new(spool: Option<Spool>, secrets: Vec<String>, bell: Arc<Notify>, clock: Clock) -> TaskLog {
        let state = State {
            masker: Masker::new(secrets.clone()),
            spool,
            progress: None,
            progress_is_news: false,
            has_ended: false,
            trouble_was_told: false,
        };
        TaskLog(Arc::new(Inner { state: Mutex::new(state), secrets, bell, clock }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds bytes to the log; they need not be text, nor whole lines. A whole line that begins with
    /// `@progress ` tells how far the run is, and does not stand in the log.
    pub fn write(&self, bytes: &[u8]) {
        match read_progress(bytes) {
            Some(Progress { percent, message }) => self.progress(percent, &message),
            None => {
                let mut state = self.state();
                let masked = state.masker.push(bytes);
                state.keep(&masked);
                drop(state);
                self.0.bell.notify_one();
            }
        }
    }

    /// Says how far the run is: of 100, and at what.
    pub fn progress(&self, percent: Option<u8>, message: &str) {
        let told = TaskProgress { percent, message: self.masked(message.as_bytes()), at: self.0.clock.now() };
        let mut state = self.state();
        state.progress = Some(told);
        state.progress_is_news = true;
        drop(state);
        self.0.bell.notify_one();
    }

    /// Last words as they may stand in a message: masked, and not too long.
    pub(crate) fn masked(&self, bytes: &[u8]) -> String {
        let mut masker = Masker::new(self.0.secrets.clone());
        let mut masked = masker.push(bytes);
        masked.extend(masker.finish());
        let text = redact(&String::from_utf8_lossy(&masked)).into_owned();
        text.char_indices().take_while(|(at, _)| *at < LAST_WORDS_BYTES_MAX).map(|(_, c)| c).collect()
    }

    /// Nothing more comes. Says whether there is anything for the hub; most runs say nothing.
    pub(super) fn end(&self) -> bool {
        let mut state = self.state();
        let held = state.masker.finish();
        state.keep(&held);
        state.has_ended = true;
        let has_news = state.progress_is_news || state.spool.as_ref().is_some_and(|spool| spool.length() > 0);
        drop(state);
        if has_news {
            self.0.bell.notify_one();
        }
        has_news
    }

    /// What is to be sent after `sent`: bytes, progress that is news, and whether that is all for ever.
    pub(super) fn news(&self, sent: u64, bytes_max: usize) -> (Vec<u8>, Option<TaskProgress>, bool) {
        let mut state = self.state();
        let read = state.spool.as_ref().map(|spool| spool.read(sent, bytes_max));
        let bytes = read.transpose().unwrap_or_else(|error| {
            state.tell(&error);
            None
        });
        let progress = state.progress.clone().filter(|_| state.progress_is_news);
        (bytes.unwrap_or_default(), progress, state.has_ended)
    }

    /// The hub has everything up to `sent`, and this progress. `true` if that is all there will be.
    pub(super) fn was_sent(&self, sent: u64, progress: Option<&TaskProgress>) -> bool {
        let mut state = self.state();
        if let Some(Err(error)) = state.spool.as_mut().map(|spool| spool.reach(sent)) {
            state.tell(&error);
        }
        if progress.is_some() && state.progress.as_ref() == progress {
            state.progress_is_news = false;
        }
        state.has_ended && !state.progress_is_news && state.spool.as_ref().is_none_or(|spool| sent >= spool.length())
    }

    /// How long it is.
    pub(super) fn length(&self) -> u64 {
        self.state().spool.as_ref().map_or(0, Spool::length)
    }

    /// Removes what is on disk.
    pub(super) fn forget(&self) {
        if let Some(spool) = self.state().spool.take() {
            spool.remove();
        }
    }
}

impl State {
    fn keep(&mut self, bytes: &[u8]) {
        if let Some(Err(error)) = self.spool.as_mut().map(|spool| spool.append(bytes)) {
            self.tell(&error);
        }
    }

    fn tell(&mut self, error: &std::io::Error) {
        if !self.trouble_was_told {
            self.trouble_was_told = true;
            tracing::warn!(%error, "a part of a task's log is lost");
        }
    }
}
