//! P10, the second half: whole lives with one, two and four hubs on one PostgreSQL database. The agents wait at all of
//! them in equal parts, and each hub is given tasks for all agents, so that most bells cross from one hub to another.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use counterparts::Postgres;
use futures_util::future::try_join_all;
use sortie_agent::Handler;

use super::drain::{AtOnce, FINISHED};
use super::ground::on_postgres;
use crate::cli::Setup;
use crate::crowd::{Errand, submit};
use crate::figure::Figure;
use crate::fleet::{Fleet, Running};
use crate::hub::Hub;
use crate::load::Desk;
use crate::process::processor_seconds;

/// How many hubs there are.
const HUBS: [usize; 3] = [1, 2, 4];
/// Lives before it counts, and those that count.
const WARM_UP: u64 = 4_000;
const LIVES: u64 = 30_000;
/// Connections that submit, in all.
const DESKS: usize = 8;
/// How long it may take.
const PATIENCE: Duration = Duration::from_secs(120);
/// How often the hubs are asked how many have ended.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Measures it.
pub(super) async fn measure(setup: &Setup) -> anyhow::Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for count in HUBS {
        let folder = setup.scratch()?;
        let server = tokio::task::spawn_blocking(Postgres::start_durable).await?;
        let set = on_postgres(setup, server.fresh_database(), folder.path()).await?;
        let (hubs, agents) = start(setup, &set, folder.path(), count).await?;
        live(&hubs, WARM_UP, WARM_UP, setup.nodes).await?;
        let used = || hubs.iter().map(|hub| processor_seconds(hub.pid())).sum::<f64>();
        let (before, begun) = (used(), Instant::now());
        live(&hubs, LIVES, WARM_UP + LIVES, setup.nodes).await?;
        let time = begun.elapsed();
        let each = 1e6 * (used() - before) / LIVES as f64;
        let notes = format!("{} agents; the hubs' processor {each:.0} us a task", setup.nodes);
        figures.push(Figure::ours(&format!("several_{count}"), notes).counted(LIVES, time));
        for running in agents {
            running.stop().await?;
        }
        for hub in hubs {
            hub.stop().await?;
        }
    }
    Ok(figures)
}

async fn start(
    setup: &Setup,
    set: &[(&str, String)],
    folder: &Path,
    count: usize,
) -> anyhow::Result<(Vec<Hub>, Vec<Running>)> {
    let handler: Arc<dyn Handler> = Arc::new(AtOnce);
    let (mut hubs, mut agents): (Vec<Hub>, Vec<Running>) = (Vec::new(), Vec::new());
    for number in 0..count {
        let data = folder.join(format!("hub-{number}"));
        let hub = match hubs.first() {
            None => Hub::start_with(setup, &data, set).await?,
            Some(first) => first.beside(setup, &data, set).await?,
        };
        let nodes = setup.nodes * number / count..setup.nodes * (number + 1) / count;
        agents.push(Fleet::enroll_some(&hub, None, folder, nodes).await?.start(&handler)?);
        hubs.push(hub);
    }
    Ok((hubs, agents))
}

/// Submits so many through all hubs at once, and waits until `total` have ended since the start.
async fn live(hubs: &[Hub], count: u64, total: u64, nodes: usize) -> anyhow::Result<()> {
    let (begun, share) = (Instant::now(), count / hubs.len() as u64);
    let filled = hubs.iter().zip(0..).map(async |(hub, turn): (&Hub, u64)| {
        let desks = Desk::open_many(hub, (DESKS / hubs.len()).max(1)).await?;
        let first = turn * share;
        let errand = Errand { first, batch: 100, count: share, time: Duration::MAX, nodes, mixed: false, keyed: false };
        submit(hub, desks, errand).await.map(drop)
    });
    try_join_all(filled).await.context("a hub took no task")?;
    loop {
        let mut finished = 0;
        for hub in hubs {
            finished += hub.counter(FINISHED).await?;
        }
        if finished >= total {
            return Ok(());
        }
        ensure!(begun.elapsed() < PATIENCE, "only {finished} of {total} tasks ended within {PATIENCE:?}");
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
