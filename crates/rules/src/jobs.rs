//! The life of a job: one request that becomes a task at each of many nodes, so many at a time, until
//! all have ended, too many have failed, or somebody calls it off.

use serde::{Deserialize, Serialize};

use crate::time::Millis;

/// A job, as far as decisions need it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Job {
    /// Where it stands.
    pub status: JobStatus,
    /// How many nodes it is for.
    pub nodes: u32,
    /// How many of its tasks may be open at once; any number if absent.
    pub at_a_time: Option<u32>,
    /// It stops when so many nodes have failed.
    pub stop_failures: Option<u32>,
    /// It stops when so many of a hundred nodes have failed.
    pub stop_percent: Option<u32>,
    /// Nothing is begun after this.
    pub not_after: Option<Millis>,
}

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobStatus {
    /// Tasks go out to nodes.
    Running,
    /// No more tasks go out; those that are out go on.
    Paused,
    /// Too many have failed: no more tasks go out, those in queues are taken back, those under way end.
    Stopping,
    /// Somebody called it off: the same, and those under way are asked to stop.
    Cancelling,
    /// Every node has come to its end, or its time has passed.
    Completed,
    /// It ended because too many failed.
    Stopped,
    /// It ended because somebody called it off.
    Cancelled,
}

/// How many nodes of a job stand where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Without a task so far.
    pub waiting: u32,
    /// With a task in the node's queue.
    pub pending: u32,
    /// With a task under way.
    pub in_progress: u32,
    /// Done.
    pub completed: u32,
    /// Failed.
    pub failed: u32,
    /// Refused by the site.
    pub rejected: u32,
    /// With a task that was called off.
    pub cancelled: u32,
    /// With a task that nobody began in time.
    pub expired: u32,
    /// Never given a task, and never to be given one.
    pub skipped: u32,
}

/// What is to be done about a job now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Nothing, until something changes.
    Rest,
    /// Give tasks to at most so many of the nodes that wait.
    Release(u32),
    /// Take back what is in queues, and ask what is under way to stop if `under_way`.
    Withdraw {
        /// Whether tasks under way are to stop as well.
        under_way: bool,
    },
    /// Go over to this.
    Become(JobStatus),
}

/// What somebody asked of a job cannot be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is over, or about to be.
    #[error("the job is {}", .0.as_str())]
    Over(JobStatus),
}

impl JobStatus {
    /// All of them.
    pub const ALL: [JobStatus; 7] = [
        JobStatus::Running,
        JobStatus::Paused,
        JobStatus::Stopping,
        JobStatus::Cancelling,
        JobStatus::Completed,
        JobStatus::Stopped,
        JobStatus::Cancelled,
    ];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            JobStatus::Running => "running",
            JobStatus::Paused => "paused",
            JobStatus::Stopping => "stopping",
            JobStatus::Cancelling => "cancelling",
            JobStatus::Completed => "completed",
            JobStatus::Stopped => "stopped",
            JobStatus::Cancelled => "cancelled",
        }
    }

    /// What a word stands for.
    pub fn parse(word: &str) -> Option<JobStatus> {
        JobStatus::ALL.into_iter().find(|status| status.as_str() == word)
    }

    /// Whether the job is over.
    pub const fn is_terminal(self) -> bool {
        matches!(self, JobStatus::Completed | JobStatus::Stopped | JobStatus::Cancelled)
    }

    /// Why a node that never got a task did not, once the job is over: a stable word.
    pub const fn skips_as(self) -> &'static str {
        match self {
            JobStatus::Stopped | JobStatus::Stopping => "job_stopped",
            JobStatus::Cancelled | JobStatus::Cancelling => "job_cancelled",
            JobStatus::Running | JobStatus::Paused | JobStatus::Completed => "not_reached",
        }
    }
}

impl Counts {
    /// Tasks that have not ended.
    pub const fn open(&self) -> u32 {
        self.pending + self.in_progress
    }

    /// Nodes at which the work did not succeed: failed or refused. What was called off or never begun
    /// says nothing about the work.
    pub const fn failures(&self) -> u32 {
        self.failed + self.rejected
    }
}

impl Job {
    /// Whether so many failures are too many.
    pub fn has_failed_too_often(&self, failures: u32) -> bool {
        let of_hundred = |percent| u64::from(failures) * 100 >= u64::from(percent) * u64::from(self.nodes);
        failures > 0
            && (self.stop_failures.is_some_and(|most| failures >= most) || self.stop_percent.is_some_and(of_hundred))
    }
}

/// What is to be done now.
pub fn next(job: &Job, counts: &Counts, now: Millis) -> Next {
    let is_too_late = job.not_after.is_some_and(|end| end <= now);
    match job.status {
        JobStatus::Completed | JobStatus::Stopped | JobStatus::Cancelled => Next::Rest,
        JobStatus::Stopping if counts.pending > 0 => Next::Withdraw { under_way: false },
        JobStatus::Stopping if counts.open() == 0 => Next::Become(JobStatus::Stopped),
        JobStatus::Cancelling if counts.open() > 0 => Next::Withdraw { under_way: true },
        JobStatus::Cancelling => Next::Become(JobStatus::Cancelled),
        JobStatus::Stopping => Next::Rest,
        JobStatus::Running | JobStatus::Paused => {
            if counts.open() == 0 && (counts.waiting == 0 || is_too_late) {
                return Next::Become(JobStatus::Completed);
            }
            // What has failed counts while the job is paused, too; but nobody is hurt by waiting.
            if job.has_failed_too_often(counts.failures()) {
                return Next::Become(JobStatus::Stopping);
            }
            if job.status == JobStatus::Paused || is_too_late {
                return Next::Rest;
            }
            let room = job.at_a_time.map_or(u32::MAX, |most| most.saturating_sub(counts.open()));
            match room.min(counts.waiting) {
                0 => Next::Rest,
                nodes => Next::Release(nodes),
            }
        }
    }
}

/// Holds back what has not gone out. Asking again changes nothing.
pub fn pause(status: JobStatus) -> Result<JobStatus, Refusal> {
    match status {
        JobStatus::Running | JobStatus::Paused => Ok(JobStatus::Paused),
        other => Err(Refusal::Over(other)),
    }
}

/// Goes on after a pause. Asking again changes nothing.
pub fn resume(status: JobStatus) -> Result<JobStatus, Refusal> {
    match status {
        JobStatus::Running | JobStatus::Paused => Ok(JobStatus::Running),
        other => Err(Refusal::Over(other)),
    }
}

/// Calls it off. Asking again changes nothing.
pub fn cancel(status: JobStatus) -> Result<JobStatus, Refusal> {
    match status {
        JobStatus::Running | JobStatus::Paused | JobStatus::Stopping | JobStatus::Cancelling => {
            Ok(JobStatus::Cancelling)
        }
        other => Err(Refusal::Over(other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: Millis = Millis(1_000_000);

    fn job(status: JobStatus) -> Job {
        Job { status, nodes: 10, at_a_time: None, stop_failures: None, stop_percent: None, not_after: None }
    }

    #[test]
    fn a_job_gives_out_no_more_than_it_may_at_a_time() {
        let limited = Job { at_a_time: Some(3), ..job(JobStatus::Running) };
        let counts = |waiting, pending, in_progress| Counts { waiting, pending, in_progress, ..Counts::default() };
        assert_eq!(next(&limited, &counts(10, 0, 0), NOW), Next::Release(3));
        assert_eq!(next(&limited, &counts(8, 1, 1), NOW), Next::Release(1));
        assert_eq!(next(&limited, &counts(7, 1, 2), NOW), Next::Rest);
        assert_eq!(next(&limited, &counts(1, 0, 0), NOW), Next::Release(1));
        assert_eq!(next(&job(JobStatus::Running), &counts(7, 1, 2), NOW), Next::Release(7));
        assert_eq!(next(&job(JobStatus::Paused), &counts(7, 1, 2), NOW), Next::Rest);
    }

    #[test]
    fn a_job_is_completed_when_no_node_is_left_or_its_time_has_passed() {
        let left = Counts { waiting: 2, completed: 8, ..Counts::default() };
        let timed = Job { not_after: Some(NOW), ..job(JobStatus::Running) };
        assert_eq!(next(&timed, &left, NOW - crate::time::Span(1)), Next::Release(2));
        assert_eq!(next(&timed, &left, NOW), Next::Become(JobStatus::Completed));
        assert_eq!(next(&timed, &Counts { in_progress: 1, ..left }, NOW), Next::Rest);
        let done = Counts { completed: 10, ..Counts::default() };
        for status in [JobStatus::Running, JobStatus::Paused] {
            assert_eq!(next(&job(status), &done, NOW), Next::Become(JobStatus::Completed));
        }
    }

    #[test]
    fn a_job_stops_at_so_many_failures_or_at_a_share_of_its_nodes() {
        let three = Job { stop_failures: Some(3), ..job(JobStatus::Running) };
        assert!(!three.has_failed_too_often(2) && three.has_failed_too_often(3));
        let fifth = Job { stop_percent: Some(20), ..job(JobStatus::Running) };
        assert!(!fifth.has_failed_too_often(1) && fifth.has_failed_too_often(2));
        let first = Job { stop_percent: Some(1), ..job(JobStatus::Running) };
        assert!(!first.has_failed_too_often(0) && first.has_failed_too_often(1));
        let counts = Counts { waiting: 5, in_progress: 2, failed: 2, rejected: 1, ..Counts::default() };
        assert_eq!(next(&three, &counts, NOW), Next::Become(JobStatus::Stopping));
        let last = Counts { failed: 10, ..Counts::default() };
        assert_eq!(next(&three, &last, NOW), Next::Become(JobStatus::Completed), "nothing is left to stop");
    }

    #[test]
    fn what_is_out_is_taken_back_before_a_job_is_stopped_or_cancelled() {
        let (stopping, cancelling) = (job(JobStatus::Stopping), job(JobStatus::Cancelling));
        let out = Counts { waiting: 5, pending: 1, in_progress: 1, ..Counts::default() };
        assert_eq!(next(&stopping, &out, NOW), Next::Withdraw { under_way: false });
        assert_eq!(next(&cancelling, &out, NOW), Next::Withdraw { under_way: true });
        let under_way = Counts { pending: 0, ..out };
        assert_eq!(next(&stopping, &under_way, NOW), Next::Rest);
        assert_eq!(next(&cancelling, &under_way, NOW), Next::Withdraw { under_way: true });
        let over = Counts { waiting: 5, ..Counts::default() };
        assert_eq!(next(&stopping, &over, NOW), Next::Become(JobStatus::Stopped));
        assert_eq!(next(&cancelling, &over, NOW), Next::Become(JobStatus::Cancelled));
    }

    #[test]
    fn people_steer_a_job_that_is_not_over() {
        use JobStatus::{Cancelled, Cancelling, Completed, Paused, Running, Stopped, Stopping};
        for status in [Running, Paused] {
            assert_eq!((pause(status), resume(status)), (Ok(Paused), Ok(Running)));
        }
        for status in [Stopping, Cancelling, Completed, Stopped, Cancelled] {
            assert_eq!((pause(status), resume(status)), (Err(Refusal::Over(status)), Err(Refusal::Over(status))));
        }
        for status in [Running, Paused, Stopping, Cancelling] {
            assert_eq!(cancel(status), Ok(Cancelling));
        }
        for status in [Completed, Stopped, Cancelled] {
            assert_eq!(cancel(status), Err(Refusal::Over(status)));
        }
        for status in JobStatus::ALL {
            assert_eq!(JobStatus::parse(status.as_str()), Some(status));
        }
    }

    /// A node of a job that is played through.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum At {
        Waiting,
        Pending,
        InProgress,
        Over(bool),
        Cancelled,
    }

    fn count(nodes: &[At]) -> Counts {
        let many = |at: At| u32::try_from(nodes.iter().filter(|node| **node == at).count()).unwrap();
        Counts {
            waiting: many(At::Waiting),
            pending: many(At::Pending),
            in_progress: many(At::InProgress),
            completed: many(At::Over(true)),
            failed: many(At::Over(false)),
            cancelled: many(At::Cancelled),
            ..Counts::default()
        }
    }

    proptest! {
        /// Whatever the nodes do and whatever people ask, no more are out than may be, nothing goes out
        /// after the failures that are too many, and the job comes to an end.
        #[test]
        fn a_job_that_is_played_through_holds_its_limits_and_ends(
            size in 1..30_usize, at_a_time in proptest::option::of(1..5_u32), stop in proptest::option::of(1..5_u32),
            moves in proptest::collection::vec((0..6_u8, any::<prop::sample::Index>(), any::<bool>()), 0..200),
        ) {
            let mut nodes = vec![At::Waiting; size];
            let nodes_many = u32::try_from(size).unwrap();
            let mut job = Job { nodes: nodes_many, at_a_time, stop_failures: stop, ..job(JobStatus::Running) };
            // In the end everybody resumes and every task ends.
            let settle = (0..4 * size).flat_map(|_| [(3_u8, true), (1, true), (2, true)]);
            let settle = settle.map(|(what, good)| (what, None, good));
            for (what, which, good) in moves.into_iter().map(|(a, b, c)| (a, Some(b), c)).chain(settle) {
                let find = |at: At| {
                    let found: Vec<usize> = (0..size).filter(|index| nodes[*index] == at).collect();
                    let first = found.first().copied();
                    which.filter(|_| !found.is_empty()).map_or(first, |which| Some(found[which.index(found.len())]))
                };
                match what {
                    1 => if let Some(index) = find(At::Pending) { nodes[index] = At::InProgress },
                    2 => if let Some(index) = find(At::InProgress) { nodes[index] = At::Over(good) },
                    3 => job.status = resume(job.status).unwrap_or(job.status),
                    4 => job.status = pause(job.status).unwrap_or(job.status),
                    5 if good => job.status = cancel(job.status).unwrap_or(job.status),
                    _ => {}
                }
                match next(&job, &count(&nodes), NOW) {
                    Next::Rest => {}
                    Next::Release(many) => {
                        prop_assert!(!job.has_failed_too_often(count(&nodes).failures()));
                        for _ in 0..many {
                            let index = nodes.iter().position(|node| *node == At::Waiting).unwrap();
                            nodes[index] = At::Pending;
                        }
                    }
                    Next::Withdraw { .. } => {
                        nodes.iter_mut().filter(|node| **node == At::Pending).for_each(|node| *node = At::Cancelled);
                    }
                    Next::Become(status) => job.status = status,
                }
                prop_assert!(at_a_time.is_none_or(|most| count(&nodes).open() <= most));
            }
            prop_assert!(job.status.is_terminal(), "{job:?} {nodes:?}");
            prop_assert!(count(&nodes).open() == 0);
        }
    }
}
