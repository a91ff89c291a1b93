//! Counts what became of everything: a pure function of what was asked, what the hub says, and what
//! the places hold.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use sortie_rules::ids::TaskId;
use sortie_rules::tasks::{Code, Status};

/// A task that the hub has acknowledged, with what it says of it in the end.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    /// Which task.
    pub(super) id: TaskId,
    /// Where it stands; `None` if the hub does not know it.
    pub(super) status: Option<Status>,
    /// Why it did not complete.
    pub(super) code: Option<Code>,
    /// The line that it was to write, once.
    pub(super) line: Option<String>,
}

/// An end of a run that the hub wrote down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct End {
    /// Of which task.
    pub(super) task: TaskId,
    /// Of which run of it.
    pub(super) run: u64,
}

/// What it comes to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(super) struct Tally {
    /// Tasks that the hub acknowledged.
    pub(super) tasks: usize,
    /// Done.
    pub(super) completed: usize,
    /// Refused by the site's policy, as they should be.
    pub(super) refused: usize,
    /// Cut by the kill in mid-run, of a type that may not be repeated, and therefore reported and
    /// not repeated.
    pub(super) interrupted: usize,
    /// Ended in any other way.
    pub(super) otherwise: usize,
    /// Acknowledged and never ended, or said to be done and its line is not there.
    pub(super) lost: usize,
    /// Which tasks those are.
    pub(super) lost_tasks: Vec<TaskId>,
    /// Lines that stand more than once where they belong, and runs that ended more than once.
    pub(super) duplicated: usize,
    /// Lines that were written.
    pub(super) lines: usize,
}

/// Counts. `lines` are all lines of all journals, `ends` every end of a run among the events.
pub(super) fn count(seen: &[Seen], lines: &[String], ends: &[End]) -> Tally {
    let mut written: BTreeMap<&str, usize> = BTreeMap::new();
    for line in lines {
        *written.entry(line).or_default() += 1;
    }
    let mut tally = Tally { tasks: seen.len(), lines: lines.len(), ..Tally::default() };
    for task in seen {
        let times = task.line.as_deref().map(|line| written.get(line).copied().unwrap_or(0));
        match (task.status, task.code.as_ref().map(|code| code.0.as_str())) {
            (Some(Status::Completed), _) if times == Some(0) => tally.lost_tasks.push(task.id),
            (Some(Status::Completed), _) => tally.completed += 1,
            (Some(Status::Rejected), _) => tally.refused += 1,
            (Some(Status::Failed), Some(Code::INTERRUPTED)) => tally.interrupted += 1,
            (Some(status), _) if status.is_terminal() => tally.otherwise += 1,
            _ => tally.lost_tasks.push(task.id),
        }
    }
    tally.lost = tally.lost_tasks.len();
    let mut once = BTreeSet::new();
    tally.duplicated = written.values().filter(|times| **times > 1).count();
    tally.duplicated += ends.iter().filter(|end| !once.insert(**end)).count();
    tally
}

#[cfg(test)]
mod tests {
    use super::*;
    use sortie_rules::ids::Id;

    fn id(n: u128) -> TaskId {
        let mut text = format!("{n:032x}");
        for at in [20, 16, 12, 8] {
            text.insert(at, '-');
        }
        text.parse().unwrap_or(Id::from_uuid(sortie_rules::ids::DEFAULT_ORG.uuid()))
    }
    fn seen(n: u128, status: Status, line: Option<&str>) -> Seen {
        Seen { id: id(n), status: Some(status), code: None, line: line.map(str::to_owned) }
    }
    fn lines(lines: &[&str]) -> Vec<String> {
        lines.iter().map(|line| (*line).to_owned()).collect()
    }

    #[test]
    fn what_went_well_is_neither_lost_nor_duplicated() {
        let interrupted = Seen { code: Some(Code::new(Code::INTERRUPTED)), ..seen(3, Status::Failed, Some("c")) };
        let all = [seen(1, Status::Completed, Some("a")), seen(2, Status::Rejected, None), interrupted];
        let ends = [1, 2, 3].map(|n| End { task: id(n), run: 1 });
        let tally = count(&all, &lines(&["a", "c"]), &ends);
        let expected = Tally { tasks: 3, completed: 1, refused: 1, interrupted: 1, lines: 2, ..Tally::default() };
        assert_eq!(tally, expected);
    }

    #[test]
    fn a_task_that_never_ended_is_lost_and_so_is_one_whose_line_is_missing() {
        let forgotten = Seen { status: None, ..seen(1, Status::Pending, None) };
        let all = [forgotten, seen(2, Status::InProgress, None), seen(3, Status::Completed, Some("a"))];
        assert_eq!(count(&all, &[], &[]).lost, 3);
    }

    #[test]
    fn a_line_that_stands_twice_and_a_run_that_ended_twice_are_duplicates() {
        let all = [seen(1, Status::Completed, Some("a"))];
        let end = End { task: id(1), run: 1 };
        assert_eq!(count(&all, &lines(&["a", "a", "a"]), &[end, end]).duplicated, 2);
        let requeued = [end, End { run: 2, ..end }];
        assert_eq!(count(&all, &lines(&["a"]), &requeued).duplicated, 0, "a new run may end anew");
    }
}
