//! P10: what a task costs from its submission to its result on the hub's disk, with few ended tasks kept and with many.

use std::sync::Arc;
use std::time::Instant;

use sortie_agent::Handler;

use super::drain::AtOnce;
use super::ground::Ground;
use super::life::live;
use crate::cli::Setup;
use crate::figure::Figure;
use crate::process::processor_seconds;

/// Lives that are counted at each stage.
const LIVES: u64 = 30_000;
/// Tasks that are added at once on the way to the next stage.
const STEP: u64 = 100_000;

/// Measures it at each stage.
pub(super) async fn measure(setup: &Setup) -> anyhow::Result<Vec<Figure>> {
    let ground = Ground::new(setup, setup.nodes).await?;
    let handler: Arc<dyn Handler> = Arc::new(AtOnce);
    let running = ground.fleet.start(&handler)?;
    let (mut kept, mut figures) = (0, Vec::new());
    for stage in &setup.kept {
        while kept < *stage {
            let step = STEP.min(stage - kept);
            live(&ground, step, kept + step, setup.nodes).await?;
            kept += step;
        }
        let (before, begun) = (processor_seconds(ground.hub.pid()), Instant::now());
        live(&ground, LIVES, kept + LIVES, setup.nodes).await?;
        let time = begun.elapsed();
        let each = 1e6 * (processor_seconds(ground.hub.pid()) - before) / LIVES as f64;
        let notes = format!("{kept} ended tasks are kept ({}); the hub's processor {each:.0} us a task", ground.engine);
        kept += LIVES;
        figures.push(Figure::ours("growth", notes).counted(LIVES, time).memory(ground.hub.memory()));
    }
    running.stop().await?;
    ground.end().await?;
    Ok(figures)
}
