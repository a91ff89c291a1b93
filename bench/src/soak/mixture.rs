//! What people and programs do all the while: submit singly and in batches, run jobs, read tasks, results and logs,
//! follow events, invite. Whatever fails is noted, and tried again under the same key.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use sortie_client::ClientError;
use sortie_client::people::Hub as Line;
use sortie_rules::ids::TaskId;
use sortie_wire::events::EventQuery;
use sortie_wire::jobs::RunJob;
use sortie_wire::logs::LogQuery;
use sortie_wire::nodes::NodeQuery;
use sortie_wire::tasks::{SubmitBatch, SubmitTask, TaskQuery};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::notes::Notes;
use super::plan::Soak;
use crate::fleet::ask_for_invite;
use crate::work;

/// Who submit single tasks, each at their share of the rate.
const SUBMITTERS: u32 = 4;
/// Who follow the events.
const FOLLOWERS: u32 = 2;
/// How many tasks are in a batch.
const BATCH: u64 = 20;
/// How often a batch, a job, a look at tasks, and an invite that is revoked.
const BATCH_EVERY: Duration = Duration::from_secs(5);
const JOB_EVERY: Duration = Duration::from_secs(30);
const READ_EVERY: Duration = Duration::from_secs(1);
const INVITE_EVERY: Duration = Duration::from_secs(10);
/// How long a follower's look is held.
const FOLLOW_S: u32 = 10;
/// Between two tries of one call, and how long it is tried.
const AGAIN_AFTER: Duration = Duration::from_millis(200);
const PATIENCE: Duration = Duration::from_secs(120);

/// Everybody at work.
pub(super) struct Mixture {
    workers: JoinSet<anyhow::Result<()>>,
    followers: JoinSet<anyhow::Result<()>>,
    enough: CancellationToken,
    seen_enough: CancellationToken,
}

/// What somebody does again and again.
#[derive(Debug, Clone, Copy)]
enum Part {
    One,
    Batch,
    Job,
    Read,
    Invite,
}

/// What each of them has.
#[derive(Clone)]
struct Desk {
    line: Line,
    notes: Arc<Notes>,
    numbers: Arc<AtomicU64>,
    nodes: usize,
}

impl Mixture {
    /// Begins. The line tries each call once.
    pub(super) fn start(line: &Line, soak: &Soak, notes: &Arc<Notes>) -> Mixture {
        let (numbers, notes) = (Arc::new(AtomicU64::new(0)), Arc::clone(notes));
        let desk = Desk { line: line.clone(), notes, numbers, nodes: soak.agents };
        let (enough, seen_enough) = (CancellationToken::new(), CancellationToken::new());
        let mut workers = JoinSet::new();
        let each = Duration::from_secs(1) * SUBMITTERS / soak.rate.max(1);
        let submitters = (0..SUBMITTERS).map(|_| (Part::One, each));
        let others = [
            (Part::Batch, BATCH_EVERY),
            (Part::Job, JOB_EVERY),
            (Part::Read, READ_EVERY),
            (Part::Invite, INVITE_EVERY),
        ];
        for (part, period) in submitters.chain(others) {
            workers.spawn(desk.clone().go_on(part, period, enough.clone()));
        }
        let mut followers = JoinSet::new();
        for number in 0..FOLLOWERS {
            followers.spawn(desk.clone().follow(number == 0, seen_enough.clone()));
        }
        Mixture { workers, followers, enough, seen_enough }
    }

    /// Submits nothing more; returns when the last call is answered.
    pub(super) async fn stop_submitting(&mut self) -> anyhow::Result<()> {
        self.enough.cancel();
        while let Some(ended) = self.workers.join_next().await {
            ended??;
        }
        Ok(())
    }

    /// Ends the rest.
    pub(super) async fn end(mut self) -> anyhow::Result<()> {
        self.seen_enough.cancel();
        while let Some(ended) = self.followers.join_next().await {
            ended??;
        }
        Ok(())
    }
}

impl Desk {
    /// Does its part at an even pace until it is enough.
    async fn go_on(self, part: Part, period: Duration, enough: CancellationToken) -> anyhow::Result<()> {
        let mut pace = tokio::time::interval(period);
        pace.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = enough.cancelled() => return Ok(()),
                _ = pace.tick() => {}
            }
            match part {
                Part::One => self.submit_one().await?,
                Part::Batch => self.submit_batch().await?,
                Part::Job => self.run_job().await?,
                Part::Read => self.read().await,
                Part::Invite => self.invite().await,
            }
        }
    }

    async fn submit_one(&self) -> anyhow::Result<()> {
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        let task: SubmitTask = serde_json::from_str(&work::task(number, self.nodes))?;
        self.notes.called(number);
        let key = format!("one-{number}");
        let done = self.persist(|| self.line.submit(&task, Some(&key))).await;
        self.notes.acknowledged(done.map(|submitted| submitted.id));
        Ok(())
    }

    async fn submit_batch(&self) -> anyhow::Result<()> {
        let first = self.numbers.fetch_add(BATCH, Ordering::Relaxed);
        let batch: SubmitBatch = serde_json::from_str(&work::batch(first, BATCH, self.nodes, true))?;
        (first..first + BATCH).for_each(|number| self.notes.called(number));
        let key = format!("batch-{first}");
        let done = self.persist(|| self.line.submit_batch(&batch, Some(&key))).await;
        self.notes.acknowledged(done.into_iter().flat_map(|batch| batch.tasks).map(|submitted| submitted.id));
        Ok(())
    }

    async fn run_job(&self) -> anyhow::Result<()> {
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        let selector = json!({ "all": true });
        let job: RunJob =
            serde_json::from_value(json!({ "type": work::TYPE, "payload": { "ms": 0 }, "selector": selector }))?;
        let key = format!("job-{number}");
        if let Some(job) = self.persist(|| self.line.run_job(&job, Some(&key))).await {
            self.notes.job(job.nodes);
        }
        Ok(())
    }

    /// Looks at the newest tasks, at the result and the log of one, and at the nodes.
    async fn read(&self) {
        let every_node = NodeQuery::default();
        let query = TaskQuery { status: Some("completed".to_owned()), limit: Some(20), ..TaskQuery::default() };
        let page = self.persist(|| self.line.tasks(&query)).await;
        if let Some(task) = page.and_then(|page| page.items.into_iter().next()) {
            self.persist(|| self.line.task(task.id, None)).await;
            let whole = LogQuery::default();
            self.persist(|| self.line.task_log(task.id, &whole)).await;
        }
        self.persist(|| self.line.nodes(&every_node)).await;
    }

    async fn invite(&self) {
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        let (ask, key) = (ask_for_invite(format!("guest-{number}")), format!("invite-{number}"));
        if let Some(made) = self.persist(|| self.line.create_invite(&ask, Some(&key))).await {
            self.persist(|| self.line.revoke_invite(made.details.id)).await;
        }
    }

    /// Reads every event in its order. One of the followers notes which tasks have ended.
    async fn follow(self, notes_ends: bool, enough: CancellationToken) -> anyhow::Result<()> {
        let mut seen = 0;
        while !enough.is_cancelled() {
            let query =
                EventQuery { after: Some(seen), wait_s: Some(FOLLOW_S), limit: Some(1000), ..Default::default() };
            let asked = self.persist(|| self.line.events(&query));
            let page = tokio::select! {
                () = enough.cancelled() => return Ok(()),
                page = asked => page,
            };
            for event in page.into_iter().flat_map(|page| page.items) {
                if event.number != seen + 1 {
                    self.notes.out_of_order();
                }
                seen = event.number;
                if let (true, Some(task)) = (notes_ends && is_end(&event.kind), event.task) {
                    self.notes.ended(task, &event.kind);
                }
            }
        }
        Ok(())
    }

    /// Calls until it succeeds. What can never succeed, or does not for long, is given up; all of it is noted.
    async fn persist<T, F>(&self, call: impl Fn() -> F) -> Option<T>
    where
        F: Future<Output = Result<T, ClientError>>,
    {
        let began = Instant::now();
        loop {
            let error = match call().await {
                Ok(answer) => return Some(answer),
                Err(error) => error,
            };
            self.notes.failed(&error);
            if error.is_final() || began.elapsed() > PATIENCE {
                self.notes.wrong("given_up".to_owned());
                return None;
            }
            tokio::time::sleep(AGAIN_AFTER).await;
        }
    }
}

fn is_end(kind: &str) -> bool {
    ["task.completed", "task.failed", "task.rejected", "task.cancelled", "task.expired"].contains(&kind)
}

/// Waits until every task has been told to have ended. `false` if some were not within the time.
pub(super) async fn all_ended(notes: &Notes, within: Duration) -> bool {
    let began = Instant::now();
    while began.elapsed() < within {
        let ends = notes.ends();
        let is_told = |task: &TaskId| ends.ended.contains_key(task);
        if ends.ended.len() as u64 >= ends.submitted() && ends.acknowledged.iter().all(is_told) {
            return true;
        }
        tokio::time::sleep(AGAIN_AFTER).await;
    }
    false
}
