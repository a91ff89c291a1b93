//! P4: at 100 tasks a second, from the call that submits to the moment in which the handler begins.
//! In between lie two TLS hops and two flushes to disk: the hub's, and the agent's ledger.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::ensure;
use sortie_agent::{Handler, HandlerFuture, Work};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::ground::Ground;
use crate::cli::Setup;
use crate::figure::Figure;
use crate::hub::Hub;
use crate::load::Desk;
use crate::process::processor_seconds;
use crate::work;

/// Agents among which the tasks go round.
pub(super) const AGENTS: usize = 4;
/// Connections that submit; a call takes one that is free.
const DESKS: usize = 8;
/// Between one call and the next.
const EVERY: Duration = Duration::from_millis(10);
/// Tasks before it counts, and those that count: 20 seconds' worth, as with the peers.
pub(super) const WARM_UP: u64 = 100;
pub(super) const COUNTED: u64 = 2_000;
/// How long the last may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Notes when each task began.
#[derive(Default)]
pub(super) struct Notebook(Mutex<BTreeMap<u64, Instant>>);

impl Notebook {
    pub(super) fn read(&self) -> BTreeMap<u64, Instant> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Handler for Notebook {
    fn run(&self, work: Work) -> HandlerFuture {
        let now = Instant::now();
        if let Some(number) = work::number(&work.payload) {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(number).or_insert(now);
        }
        Box::pin(async { work::result() })
    }
}

/// Measures it.
pub(super) async fn measure(setup: &Setup) -> anyhow::Result<Vec<Figure>> {
    let ground = Ground::new(setup, AGENTS).await?;
    let notebook = Arc::new(Notebook::default());
    let handler: Arc<dyn Handler> = notebook.clone();
    let running = ground.fleet.start(&handler)?;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let (begun, before) = (Instant::now(), processor_seconds(ground.hub.pid()));
    let spans = spans(&ground.hub, 0, &notebook).await?;
    let time = begun.elapsed();
    let share = 100.0 * (processor_seconds(ground.hub.pid()) - before) / time.as_secs_f64();
    let notes = format!("open loop at 100/s, {AGENTS} agents with their ledgers; processor: hub {share:.1} %");
    let counted = time.mul_f64(COUNTED as f64 / (WARM_UP + COUNTED) as f64);
    let figure = Figure::ours("e2e_100ps", notes).counted(COUNTED, counted).times(spans).memory(ground.hub.memory());
    running.stop().await?;
    ground.end().await?;
    Ok(vec![figure])
}

/// Submits tasks from the number `first` on at this hub. Returns how long it was from each call to the start of the
/// handler, but for those that warm up.
pub(super) async fn spans(hub: &Hub, first: u64, notebook: &Notebook) -> anyhow::Result<Vec<Duration>> {
    let called = call(hub, first).await?;
    let last = Instant::now();
    while (notebook.read().len() as u64) < first + WARM_UP + COUNTED {
        ensure!(last.elapsed() < PATIENCE, "not every task was begun");
        tokio::time::sleep(EVERY).await;
    }
    let began = notebook.read();
    let counted = called.iter().filter(|(number, _)| **number >= first + WARM_UP);
    Ok(counted.filter_map(|(number, called)| Some(began.get(number)?.duration_since(*called))).collect())
}

/// Submits at an even pace, whatever becomes of the calls before. Returns when each was made.
async fn call(hub: &Hub, first: u64) -> anyhow::Result<BTreeMap<u64, Instant>> {
    let (give, mut free) = mpsc::channel(DESKS);
    for desk in Desk::open_many(hub, DESKS).await? {
        give.send(desk).await?;
    }
    let (mut called, mut calls) = (BTreeMap::new(), JoinSet::<anyhow::Result<()>>::new());
    let mut pace = tokio::time::interval(EVERY);
    for number in first..first + WARM_UP + COUNTED {
        pace.tick().await;
        let now = Instant::now();
        called.insert(number, now);
        let Some(mut desk) = free.recv().await else { break };
        let give = give.clone();
        calls.spawn(async move {
            desk.create(work::ONE, work::task(number, AGENTS), None).await?;
            Ok(give.send(desk).await?)
        });
    }
    while let Some(done) = calls.join_next().await {
        done??;
    }
    Ok(called)
}
