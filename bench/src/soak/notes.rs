//! What everybody notes while the soak goes on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sortie_client::ClientError;
use sortie_rules::ids::TaskId;

/// For how long after a hub is back something may still fail because it was away.
const AFTERMATH: Duration = Duration::from_secs(15);

/// The notes of all.
#[derive(Debug, Default)]
pub(super) struct Notes(Mutex<Page>);

#[derive(Debug, Default)]
struct Page {
    /// When tasks were submitted that have not begun yet, by their numbers.
    called: BTreeMap<u64, Instant>,
    /// From the call to the start, since the last look.
    spans: Vec<Duration>,
    /// Errors since the last look, by code.
    errors: BTreeMap<String, u64>,
    /// Whether the hub was away at some time since the last look.
    was_away: bool,
    away: bool,
    back_at: Option<Instant>,
    ends: Ends,
}

/// What came of everything.
#[derive(Debug, Default, Clone)]
pub(super) struct Ends {
    /// Tasks that were acknowledged.
    pub(super) acknowledged: BTreeSet<TaskId>,
    /// How many more tasks jobs have.
    pub(super) in_jobs: u64,
    /// How often each task was told to have ended.
    pub(super) ended: BTreeMap<TaskId, u32>,
    /// Of those, which ended otherwise than well.
    pub(super) badly: BTreeMap<TaskId, String>,
    /// Events that came out of their order.
    pub(super) out_of_order: u64,
    /// Errors that no restart explains, by code.
    pub(super) unexplained: BTreeMap<String, u64>,
    /// Errors in all.
    pub(super) errors: u64,
}

/// What happened since the last look.
#[derive(Debug, Default)]
pub(super) struct Since {
    pub(super) spans: Vec<Duration>,
    pub(super) errors: BTreeMap<String, u64>,
    pub(super) was_away: bool,
    pub(super) submitted: u64,
    pub(super) ended: u64,
}

impl Notes {
    /// A task of this number is about to be submitted.
    pub(super) fn called(&self, number: u64) {
        self.page().called.entry(number).or_insert_with(Instant::now);
    }

    /// It has begun, perhaps not for the first time.
    pub(super) fn began(&self, number: u64) {
        let mut page = self.page();
        if let Some(called) = page.called.remove(&number) {
            page.spans.push(called.elapsed());
        }
    }

    /// These were acknowledged.
    pub(super) fn acknowledged(&self, tasks: impl IntoIterator<Item = TaskId>) {
        self.page().ends.acknowledged.extend(tasks);
    }

    /// A job over so many nodes was acknowledged.
    pub(super) fn job(&self, nodes: u32) {
        self.page().ends.in_jobs += u64::from(nodes);
    }

    /// An event told that a task has ended.
    pub(super) fn ended(&self, task: TaskId, kind: &str) {
        let ends = &mut self.page().ends;
        *ends.ended.entry(task).or_default() += 1;
        if kind != "task.completed" {
            ends.badly.insert(task, kind.to_owned());
        }
    }

    /// An event came whose number is not the next.
    pub(super) fn out_of_order(&self) {
        self.page().ends.out_of_order += 1;
    }

    /// A call failed.
    pub(super) fn failed(&self, error: &ClientError) {
        self.wrong(code(error));
    }

    /// Something went wrong that has this name.
    pub(super) fn wrong(&self, code: String) {
        let mut page = self.page();
        let explained = page.away || page.back_at.is_some_and(|back| back.elapsed() < AFTERMATH);
        *page.errors.entry(code.clone()).or_default() += 1;
        page.ends.errors += 1;
        if !explained {
            *page.ends.unexplained.entry(code).or_default() += 1;
        }
    }

    /// The hub is stopped now.
    pub(super) fn hub_goes(&self) {
        let mut page = self.page();
        (page.away, page.was_away) = (true, true);
    }

    /// It is back.
    pub(super) fn hub_is_back(&self) {
        let mut page = self.page();
        (page.away, page.back_at) = (false, Some(Instant::now()));
    }

    /// What happened since the last look; tasks are counted from the beginning.
    pub(super) fn since(&self) -> Since {
        let mut page = self.page();
        Since {
            spans: std::mem::take(&mut page.spans),
            errors: std::mem::take(&mut page.errors),
            was_away: std::mem::take(&mut page.was_away),
            submitted: page.ends.submitted(),
            ended: page.ends.ended.len() as u64,
        }
    }

    /// What came of everything so far.
    pub(super) fn ends(&self) -> Ends {
        self.page().ends.clone()
    }

    fn page(&self) -> MutexGuard<'_, Page> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ends {
    /// How many tasks there are.
    pub(super) fn submitted(&self) -> u64 {
        self.acknowledged.len() as u64 + self.in_jobs
    }
}

/// A stable word for what went wrong.
fn code(error: &ClientError) -> String {
    match error {
        ClientError::Problem { problem, .. } => problem.code.as_str().to_owned(),
        ClientError::Unreachable { .. } => "unreachable".to_owned(),
        ClientError::NotSortie { status, .. } => format!("status_{status}"),
        _ => "other".to_owned(),
    }
}
