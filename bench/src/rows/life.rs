//! P3, the second half: whole lives, from a submission in hundreds to the result on the hub's disk,
//! with agents that wait.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::ensure;
use sortie_agent::Handler;

use super::drain::{AtOnce, FINISHED};
use super::ground::Ground;
use crate::cli::Setup;
use crate::figure::Figure;
use crate::process::processor_seconds;

/// Lives that are lived before it counts, and those that count.
const WARM_UP: u64 = 3_200;
const LIVES: u64 = 60_000;
/// How long it may take.
const PATIENCE: Duration = Duration::from_secs(120);
/// How often the hub is asked how many have ended.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Measures it.
pub(super) async fn measure(setup: &Setup) -> anyhow::Result<Vec<Figure>> {
    let ground = Ground::new(setup, setup.nodes).await?;
    let handler: Arc<dyn Handler> = Arc::new(AtOnce);
    let running = ground.fleet.start(&handler)?;
    live(&ground, WARM_UP, WARM_UP, setup.nodes).await?;
    let before = processor_seconds(ground.hub.pid());
    let begun = Instant::now();
    live(&ground, LIVES, WARM_UP + LIVES, setup.nodes).await?;
    let time = begun.elapsed();
    let share = 100.0 * (processor_seconds(ground.hub.pid()) - before) / time.as_secs_f64();
    let notes = format!("{} agents; submitted in hundreds while they work; processor: hub {share:.0} %", setup.nodes);
    let figure = Figure::ours("whole_life", notes).counted(LIVES, time).memory(ground.hub.memory());
    running.stop().await?;
    ground.end().await?;
    Ok(vec![figure])
}

/// Submits so many and waits until `total` have ended since the hub's start.
pub(super) async fn live(ground: &Ground, count: u64, total: u64, nodes: usize) -> anyhow::Result<()> {
    let begun = Instant::now();
    ground.fill(count, nodes, false).await?;
    loop {
        let finished = ground.hub.counter(FINISHED).await?;
        if finished >= total {
            return Ok(());
        }
        ensure!(begun.elapsed() < PATIENCE, "only {finished} of {total} tasks ended within {PATIENCE:?}");
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
