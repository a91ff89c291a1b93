//! Every log that the hub does not have whole yet.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use sortie_rules::masking::secrets_of;
use tokio::sync::Notify;

use super::spool::{Spool, Total, left_behind};
use super::task_log::TaskLog;
use crate::clock::Clock;
use crate::ledger::RunKey;

/// Every log that the hub does not have whole yet.
#[derive(Debug)]
pub(crate) struct Desk {
    folder: PathBuf,
    logs: Mutex<BTreeMap<RunKey, Kept>>,
    pub(super) bell: Arc<Notify>,
    clock: Clock,
    total: Total,
}

/// A log, and how much of it the hub has.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub(super) log: TaskLog,
    pub(super) sent: u64,
}

impl Desk {
    /// The desk over this folder, with what an earlier life of the agent has left there. The logs of
    /// runs that are still under way go on; the others are sent and go.
    pub(crate) fn open(folder: &Path, under_way: &BTreeSet<RunKey>, clock: Clock) -> Desk {
        if let Err(error) = std::fs::create_dir_all(folder) {
            tracing::warn!(folder = %folder.display(), %error, "logs of tasks cannot be kept");
        }
        let desk = Desk {
            folder: folder.to_owned(),
            logs: Mutex::default(),
            bell: Arc::default(),
            clock,
            total: Total::default(),
        };
        for run in left_behind(folder) {
            let log = desk.open_log(run, Vec::new());
            // One without a byte is only a name; it goes at once.
            if !under_way.contains(&run) && !log.end() {
                desk.forget(run);
            }
        }
        desk
    }

    fn logs(&self) -> MutexGuard<'_, BTreeMap<RunKey, Kept>> {
        self.logs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The log of a run that begins. If it began before, in an earlier life of the agent, it goes on.
    pub(crate) fn begin(&self, run: RunKey, payload: &str, pointers: &[String]) -> TaskLog {
        if pointers.is_empty() {
            return self.open_log(run, Vec::new());
        }
        let payload = serde_json::from_str::<Value>(payload).unwrap_or_default();
        self.open_log(run, secrets_of(&payload, pointers))
    }

    fn open_log(&self, run: RunKey, secrets: Vec<String>) -> TaskLog {
        let opened = Spool::open(&self.folder, run, &self.total);
        let spool = opened.map_err(|error| tracing::warn!(%error, "a task's log cannot be kept")).ok();
        let log = TaskLog::new(spool, secrets, Arc::clone(&self.bell), self.clock.clone());
        let mut logs = self.logs();
        // What was sent of it in an earlier life, the hub says when it is asked.
        let sent = logs.get(&run).map_or(0, |kept| kept.sent);
        logs.insert(run, Kept { log: log.clone(), sent });
        log
    }

    /// A run has ended: its log goes when the hub has it. Returns how long it is.
    pub(crate) fn end(&self, run: RunKey) -> u64 {
        let mut logs = self.logs();
        let Some(kept) = logs.get(&run) else { return 0 };
        if kept.log.end() {
            return kept.log.length();
        }
        logs.remove(&run);
        0
    }

    /// How long the log of a run is; 0 if it has none, or the hub has all of it.
    pub(crate) fn length(&self, run: RunKey) -> u64 {
        self.logs().get(&run).map_or(0, |kept| kept.log.length())
    }

    /// All logs, those after `last` first, so that each has its turn.
    pub(super) fn all_after(&self, last: Option<RunKey>) -> Vec<(RunKey, Kept)> {
        let mut all: Vec<_> = self.logs().iter().map(|(run, kept)| (*run, kept.clone())).collect();
        let turn = all.partition_point(|(run, _)| Some(*run) <= last);
        all.rotate_left(turn);
        all
    }

    /// The hub has so much of a log.
    pub(super) fn sent(&self, run: RunKey, sent: u64) {
        if let Some(kept) = self.logs().get_mut(&run) {
            kept.sent = sent;
        }
    }

    /// Forgets a log: the hub has all of it, or wants none of it.
    pub(super) fn forget(&self, run: RunKey) {
        if let Some(kept) = self.logs().remove(&run) {
            kept.log.forget();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sortie_rules::ids::Id;
    use sortie_rules::time::Millis;

    #[test]
    fn every_log_has_its_turn() {
        let folder = tempfile::tempdir().unwrap();
        let desk = Desk::open(folder.path(), &BTreeSet::new(), Clock::new(|| Millis(5)));
        let run = |n| RunKey { task: Id::from_uuid(uuid::Uuid::from_u128(n)), run: 1 };
        for number in 1..=3 {
            desk.begin(run(number), "{}", &[]);
        }
        let order = |last| desk.all_after(last).into_iter().map(|(run, _)| run).collect::<Vec<_>>();
        assert_eq!(order(None), [run(1), run(2), run(3)]);
        assert_eq!(order(Some(run(1))), [run(2), run(3), run(1)]);
        assert_eq!(order(Some(run(3))), [run(1), run(2), run(3)]);
        desk.forget(run(2));
        assert_eq!(order(Some(run(2))), [run(3), run(1)]);
    }
}
