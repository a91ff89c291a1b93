//! Many connections at once, each sending its next request when the last was answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::figure::Figure;
use crate::hub::Hub;
use crate::load::Desk;
use crate::machine::entropy;
use crate::process::processor_seconds;
use crate::work;

/// What a crowd is to do.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Errand {
    /// The number of the first task.
    pub(crate) first: u64,
    /// Tasks in one request.
    pub(crate) batch: u64,
    /// Tasks after which it ends.
    pub(crate) count: u64,
    /// Time after which it ends, whatever the count.
    pub(crate) time: Duration,
    /// To how many nodes the tasks go.
    pub(crate) nodes: usize,
    /// Whether the tasks of one batch go to all nodes in turn and not to one.
    pub(crate) mixed: bool,
    /// Whether each request bears an `Idempotency-Key`.
    pub(crate) keyed: bool,
}

/// What it did.
pub(crate) struct Done {
    /// Tasks that were submitted and acknowledged.
    pub(crate) tasks: u64,
    time: Duration,
    calls: Vec<Duration>,
    hub_processor: f64,
    own_processor: f64,
}

/// Submits with all of `desks`.
pub(crate) async fn submit(hub: &Hub, desks: Vec<Desk>, errand: Errand) -> anyhow::Result<Done> {
    let next = Arc::new(AtomicU64::new(0));
    let (hub_before, own_before) = (processor_seconds(hub.pid()), processor_seconds(std::process::id()));
    let begun = Instant::now();
    let mut crowd = JoinSet::new();
    for desk in desks {
        crowd.spawn(one(desk, Arc::clone(&next), begun, errand));
    }
    let (mut calls, mut tasks) = (Vec::new(), 0);
    while let Some(done) = crowd.join_next().await {
        let done = done??;
        tasks += done.len() as u64 * errand.batch;
        calls.extend(done);
    }
    let time = begun.elapsed();
    let hub_processor = processor_seconds(hub.pid()) - hub_before;
    let own_processor = processor_seconds(std::process::id()) - own_before;
    Ok(Done { tasks, time, calls, hub_processor, own_processor })
}

async fn one(mut desk: Desk, next: Arc<AtomicU64>, begun: Instant, errand: Errand) -> anyhow::Result<Vec<Duration>> {
    let (entropy, mut calls) = (entropy(), Vec::new());
    loop {
        let number = next.fetch_add(errand.batch, Ordering::Relaxed);
        if number >= errand.count || begun.elapsed() >= errand.time {
            return Ok(calls);
        }
        let key = errand.keyed.then(|| entropy.hex());
        let number = errand.first + number;
        let (path, body) = if errand.batch == 1 {
            (work::ONE, work::task(number, errand.nodes))
        } else {
            (work::MANY, work::batch(number, errand.batch, errand.nodes, errand.mixed))
        };
        let asked = Instant::now();
        desk.create(path, body, key.as_deref()).await?;
        calls.push(asked.elapsed());
    }
}

impl Done {
    /// What it did as a figure.
    pub(crate) fn figure(self, workload: &str, notes: &str, hub: &Hub) -> Figure {
        let share = |seconds: f64| 100.0 * seconds / self.time.as_secs_f64();
        let (hub_share, own_share) = (share(self.hub_processor), share(self.own_processor));
        let notes = format!("{notes}; processor: hub {hub_share:.0} %, load {own_share:.0} %");
        Figure::ours(workload, notes).counted(self.tasks, self.time).times(self.calls).memory(hub.memory())
    }
}
