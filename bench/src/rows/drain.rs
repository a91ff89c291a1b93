//! P3, the first half: a backlog is there; agents take it in deliveries of up to a hundred and report
//! every result. Everything is durable twice, in the agent's ledger and at the hub.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::ensure;
use sortie_agent::{Handler, HandlerFuture, Work};

use super::ground::Ground;
use crate::cli::Setup;
use crate::figure::Figure;
use crate::process::processor_seconds;
use crate::work;

/// Tasks that wait when the agents come.
const BACKLOG: u64 = 72_000;
/// Tasks that are counted: the peers' share of a backlog, and no more.
const COUNTED: u64 = 60_000;
/// How long it may take.
const PATIENCE: Duration = Duration::from_secs(120);
/// How often the hub is asked how many have ended.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// What the hub counts when a result is on its disk.
pub(super) const FINISHED: &str = "sortie_tasks_finished_total";

/// Gives the result at once.
pub(super) struct AtOnce;

impl Handler for AtOnce {
    fn run(&self, _: Work) -> HandlerFuture {
        Box::pin(async { work::result() })
    }
}

/// Measures it with a backlog that came in hundreds for one node each, and with one in which the tasks
/// of all nodes are mixed, so that those of one lie far from each other.
pub(super) async fn measure(setup: &Setup) -> anyhow::Result<Vec<Figure>> {
    Ok(vec![drain(setup, "drain_result", false).await?, drain(setup, "drain_result_mixed", true).await?])
}

async fn drain(setup: &Setup, workload: &str, mixed: bool) -> anyhow::Result<Figure> {
    let ground = Ground::new(setup, setup.nodes).await?;
    ground.fill(BACKLOG, setup.nodes, mixed).await?;
    let hub = &ground.hub;
    let processors = || (processor_seconds(hub.pid()), processor_seconds(std::process::id()));
    let handler: Arc<dyn Handler> = Arc::new(AtOnce);
    let (before, begun) = (processors(), Instant::now());
    let running = ground.fleet.start(&handler)?;
    let mut finished = 0;
    while finished < COUNTED {
        ensure!(begun.elapsed() < PATIENCE, "only {finished} of {COUNTED} tasks ended within {PATIENCE:?}");
        tokio::time::sleep(LOOK_EVERY).await;
        finished = hub.counter(FINISHED).await?;
    }
    let (time, after) = (begun.elapsed(), processors());
    let share = |seconds: f64| 100.0 * seconds / time.as_secs_f64();
    let notes = format!(
        "{} agents with their ledgers, in one process; results durable at agent and hub ({}); processor: hub {:.0} %, \
         agents {:.0} %",
        setup.nodes,
        ground.engine,
        share(after.0 - before.0),
        share(after.1 - before.1)
    );
    let figure = Figure::ours(workload, notes).counted(finished, time).memory(hub.memory());
    running.stop().await?;
    ground.end().await?;
    Ok(figure)
}
