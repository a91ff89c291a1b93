//! Enters what happened into the stretches of a node and of its org.
//!
//! Of how many nodes are online only changes are entered: a stretch in which nothing changed has no row, and what holds
//! in it is known from the rows after it. So a fleet that is quiet writes nothing, and one that falls silent at once a
//! few rows for each node.

use std::collections::BTreeMap;

use super::step::Step;
use crate::limits::HUB_CLOCKS_APART_MAX;
use crate::time::Millis;

/// Something that is counted, or changes how many are online.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happening {
    /// The node is online from now on, or is not.
    Online(bool),
    /// It counts for this.
    Counted(Counts),
}

/// How often things happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Tasks that completed.
    pub tasks_completed: u64,
    /// Tasks that failed, and will not be tried again.
    pub tasks_failed: u64,
    /// Tasks that ended otherwise: rejected, cancelled, expired.
    pub tasks_other: u64,
    /// Backups that the node told of as completed.
    pub backups_completed: u64,
    /// Backups that it told of as failed.
    pub backups_failed: u64,
    /// Backups that were missed.
    pub backups_missed: u64,
}

/// How many nodes of a holder are online: of one node none or one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Level {
    /// How many.
    pub online: u64,
    /// Since when it is as many.
    pub since: Millis,
    /// Since when that is known of the holder.
    pub known_since: Millis,
}

/// What is entered into a stretch, beside what stands there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sum {
    /// What is counted.
    pub counts: Counts,
    /// For how many milliseconds nodes were online, summed over them, up to the last change.
    pub online_ms: u64,
    /// How many were online before the first change, after the last, and when that was; if there was one.
    pub change: Option<(u64, u64, Millis)>,
}

/// A stretch's row as it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// When the stretch begins.
    pub at: Millis,
    /// What stands in it.
    pub sum: Sum,
}

/// What happened in a page of events, by holder: a node, or an org.
#[derive(Debug, Clone)]
pub struct Book<H> {
    /// How many are online of each holder that is written about.
    pub levels: BTreeMap<H, Level>,
    /// What is to be entered.
    pub sums: BTreeMap<(H, Step, Millis), Sum>,
}

impl Happening {
    /// What an event of this kind is.
    pub fn of(kind: &str) -> Option<Happening> {
        let none = Counts::default();
        let counted = Happening::Counted;
        Some(match kind {
            "node.online" | "node.recovered" => Happening::Online(true),
            // One that enrols anew was not heard on its own line yet, and who was shut out is not there.
            "node.stale" | "node.down" | "node.revoked" | "node.enrolled" => Happening::Online(false),
            "task.completed" => counted(Counts { tasks_completed: 1, ..none }),
            "task.failed" => counted(Counts { tasks_failed: 1, ..none }),
            "task.rejected" | "task.cancelled" | "task.expired" => counted(Counts { tasks_other: 1, ..none }),
            "backup.completed" => counted(Counts { backups_completed: 1, ..none }),
            "backup.failed" => counted(Counts { backups_failed: 1, ..none }),
            "backup.missed" => counted(Counts { backups_missed: 1, ..none }),
            _ => return None,
        })
    }
}

impl Counts {
    /// Both together.
    #[must_use]
    pub fn and(self, other: Counts) -> Counts {
        Counts {
            tasks_completed: self.tasks_completed + other.tasks_completed,
            tasks_failed: self.tasks_failed + other.tasks_failed,
            tasks_other: self.tasks_other + other.tasks_other,
            backups_completed: self.backups_completed + other.backups_completed,
            backups_failed: self.backups_failed + other.backups_failed,
            backups_missed: self.backups_missed + other.backups_missed,
        }
    }
}

impl<H: Ord + Clone> Book<H> {
    /// With how many are online of holders up to now; of a holder that is not there nothing is known.
    pub fn new(levels: BTreeMap<H, Level>) -> Book<H> {
        Book { levels, sums: BTreeMap::new() }
    }

    /// Enters what happened to a node, for itself and for its org.
    pub fn enter(&mut self, node: &H, org: &H, what: Happening, at: Millis) {
        match what {
            Happening::Counted(counts) => {
                for holder in [node, org] {
                    for step in Step::ALL {
                        let sum = self.sum(holder, step, at);
                        sum.counts = sum.counts.and(counts);
                    }
                }
            }
            Happening::Online(is) => {
                let before = self.levels.get(node).map_or(0, |level| level.online);
                let after = u64::from(is);
                self.change(node, after, at);
                let of_org = self.levels.get(org).map_or(0, |level| level.online);
                self.change(org, (of_org + after).saturating_sub(before), at);
            }
        }
    }

    fn sum(&mut self, holder: &H, step: Step, at: Millis) -> &mut Sum {
        self.sums.entry((holder.clone(), step, step.start_of(at))).or_default()
    }

    fn change(&mut self, holder: &H, online: u64, at: Millis) {
        let known = self.levels.get(holder).copied();
        let before = known.unwrap_or(Level { online: 0, since: at, known_since: at });
        if known.is_some() && before.online == online {
            return;
        }
        // Of two hubs one may have a clock that is behind; nothing ends before it began. What is further apart was
        // begun by a clock that was ahead and put back: how long it lasted is not known, and what comes begins now.
        let at = if before.since.since(at) <= HUB_CLOCKS_APART_MAX { at.max(before.since) } else { at };
        for step in Step::ALL {
            let was_since = before.since.max(step.start_of(at));
            let sum = self.sum(holder, step, at);
            sum.online_ms += before.online * at.since(was_since).0.unsigned_abs();
            let first = sum.change.map_or(before.online, |(first, ..)| first);
            sum.change = Some((first, online, at));
        }
        let known_since = before.known_since.min(at);
        self.levels.insert(holder.clone(), Level { online, since: at, known_since });
    }
}

impl Sum {
    /// What stands in a stretch after this was entered into it, too.
    #[must_use]
    pub fn and(self, later: Sum) -> Sum {
        let change = match (self.change, later.change) {
            (Some((first, ..)), Some((_, last, at))) => Some((first, last, at)),
            (one, other) => other.or(one),
        };
        Sum { counts: self.counts.and(later.counts), online_ms: self.online_ms + later.online_ms, change }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Span;

    #[test]
    fn a_task_counts_for_its_node_and_its_org_by_hour_and_day() {
        let mut book = Book::new(BTreeMap::new());
        let at = Millis(0) + Span::hours(30);
        for kind in ["task.completed", "task.completed", "task.expired", "backup.missed"] {
            book.enter(&"node", &"org", Happening::of(kind).unwrap(), at);
        }
        assert_eq!(book.sums.len(), 4);
        let day = book.sums[&("org", Step::Day, Millis(0) + Span::days(1))];
        let counts = Counts { tasks_completed: 2, tasks_other: 1, backups_missed: 1, ..Counts::default() };
        assert_eq!((day.counts, day.change), (counts, None));
        assert!(book.levels.is_empty() && Happening::of("task.submitted").is_none());
    }

    #[test]
    fn a_clock_that_was_put_forward_and_back_clamps_nothing_after_it() {
        let mut book = Book::new(BTreeMap::new());
        let at = |minutes| Millis(0) + Span::minutes(minutes);
        book.enter(&"node", &"org", Happening::Online(true), at(10));
        book.enter(&"node", &"org", Happening::Online(false), at(60 * 24 * 400));
        book.enter(&"node", &"org", Happening::Online(true), at(20));
        assert_eq!(book.levels["node"], Level { online: 1, since: at(20), known_since: at(10) });
        book.enter(&"node", &"org", Happening::Online(false), at(15));
        let short = book.levels["node"];
        assert_eq!((short.online, short.since), (0, at(20)), "another hub's clock is behind");
        book.enter(&"node", &"org", Happening::Online(true), at(30));
        book.enter(&"node", &"org", Happening::Online(false), at(40));
        let hour = book.sums[&("node", Step::Hour, Millis(0))];
        assert_eq!((hour.online_ms, hour.change), (600_000, Some((0, 0, at(40)))));
    }

    #[test]
    fn what_is_said_twice_is_entered_once() {
        let mut book = Book::new(BTreeMap::new());
        let at = |minutes| Millis(0) + Span::minutes(minutes);
        for (minutes, is) in [(10, true), (20, true), (40, false), (50, false)] {
            book.enter(&"node", &"org", Happening::Online(is), at(minutes));
        }
        let hour = book.sums[&("node", Step::Hour, Millis(0))];
        assert_eq!((hour.online_ms, hour.change), (1_800_000, Some((0, 0, at(40)))));
        assert_eq!(book.levels["org"], Level { online: 0, since: at(40), known_since: at(10) });
    }
}
