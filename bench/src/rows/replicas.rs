//! Two hubs on one PostgreSQL database. First the agents wait at one of them, and tasks are submitted there and at the
//! other: what lies between is the bell. Then everybody comes through a balancer, and one hub is killed.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::ensure;
use counterparts::Postgres;
use sortie_agent::Handler;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::ground::on_postgres;
use super::latency::{AGENTS, COUNTED, Notebook, WARM_UP, spans};
use crate::cli::Setup;
use crate::figure::Figure;
use crate::fleet::Fleet;
use crate::hub::Hub;
use crate::load::Desk;
use crate::machine::entropy;
use crate::work;

/// Callers who submit through the balancer, and how often each does.
const CALLERS: u64 = 4;
const EVERY: Duration = Duration::from_millis(40);
/// How long they do before a hub is killed, and afterwards.
const BEFORE: Duration = Duration::from_secs(4);
const AFTER: Duration = Duration::from_secs(6);
/// Before a call that failed is made again.
const AGAIN: Duration = Duration::from_millis(10);
/// How long the last task may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Measures it.
pub(super) async fn measure(setup: &Setup) -> anyhow::Result<Vec<Figure>> {
    let mut figures = bells(setup).await?;
    figures.extend(death(setup).await?);
    Ok(figures)
}

async fn bells(setup: &Setup) -> anyhow::Result<Vec<Figure>> {
    let folder = setup.scratch()?;
    let server = tokio::task::spawn_blocking(Postgres::start_durable).await?;
    let set = on_postgres(setup, server.fresh_database(), folder.path()).await?;
    let one = Hub::start_with(setup, &folder.path().join("one"), &set).await?;
    let other = one.beside(setup, &folder.path().join("other"), &set).await?;
    let fleet = Fleet::enroll(&one, folder.path(), AGENTS).await?;
    let notebook = Arc::new(Notebook::default());
    let handler: Arc<dyn Handler> = notebook.clone();
    let running = fleet.start(&handler)?;
    let mut figures = Vec::new();
    for (workload, hub, first) in [("e2e_same_replica", &one, 0), ("e2e_other_replica", &other, WARM_UP + COUNTED)] {
        let begun = Instant::now();
        let spans = spans(hub, first, &notebook).await?;
        let notes = "PostgreSQL; open loop at 100/s, from the call to the start of the handler";
        figures.push(Figure::ours(workload, notes).counted(WARM_UP + COUNTED, begun.elapsed()).times(spans));
    }
    running.stop().await?;
    one.stop().await?;
    other.stop().await?;
    Ok(figures)
}

async fn death(setup: &Setup) -> anyhow::Result<Vec<Figure>> {
    let folder = setup.scratch()?;
    let server = tokio::task::spawn_blocking(Postgres::start_durable).await?;
    let set = on_postgres(setup, server.fresh_database(), folder.path()).await?;
    let mut one = Hub::start_with(setup, &folder.path().join("one"), &set).await?;
    let other = one.beside(setup, &folder.path().join("other"), &set).await?;
    let balancer = balancer([one.listen(), other.listen()]).await?;
    let fleet = Fleet::enroll_some(&other, Some(&format!("https://{balancer}")), folder.path(), 0..AGENTS).await?;
    let notebook = Arc::new(Notebook::default());
    let handler: Arc<dyn Handler> = notebook.clone();
    let running = fleet.start(&handler)?;
    let other = Arc::new(other);
    let begun = Instant::now();
    let mut callers = JoinSet::new();
    for number in 0..CALLERS {
        callers.spawn(call(Arc::clone(&other), balancer, number, begun));
    }
    tokio::time::sleep(BEFORE).await;
    one.kill().await?;
    let killed = Instant::now();
    let (mut calls, mut failed) = (Vec::new(), 0);
    while let Some(done) = callers.join_next().await {
        let (made, again) = done??;
        calls.extend(made);
        failed += again;
    }
    while notebook.read().len() < calls.len() {
        ensure!(killed.elapsed() < AFTER + PATIENCE, "not every task was begun");
        tokio::time::sleep(AGAIN).await;
    }
    let began = notebook.read();
    // Whoever was on its way when it happened, and whoever came after.
    let met: Vec<&Call> = calls.iter().filter(|call| call.answered > killed).collect();
    let longest = |spans: &[Duration]| spans.iter().max().map_or(0.0, |span| span.as_secs_f64() * 1000.0);
    let answered: Vec<Duration> = met.iter().map(|call| call.answered - call.called).collect();
    let started: Vec<Duration> =
        met.iter().filter_map(|call| Some(began.get(&call.number)?.duration_since(call.called))).collect();
    let requests = format!(
        "the longest of those that were answered after one of two hubs was killed took {:.0} ms to its answer; \
         {failed} tries failed and were made again; PostgreSQL, {CALLERS} callers and {AGENTS} agents behind a TCP \
         balancer",
        longest(&answered)
    );
    let tasks = format!("the longest of their tasks was begun {:.0} ms after the call", longest(&started));
    let count = met.len() as u64;
    running.stop().await?;
    if let Some(other) = Arc::into_inner(other) {
        other.stop().await?;
    }
    Ok(vec![
        Figure::ours("death_requests", requests).counted(count, AFTER).times(answered),
        Figure::ours("death_tasks", tasks).counted(count, AFTER).times(started),
    ])
}

/// One submission, with all its tries.
struct Call {
    number: u64,
    called: Instant,
    answered: Instant,
}

/// Submits at an even pace, each under a key of its own until it is acknowledged. Returns the calls, and how many tries
/// failed.
async fn call(hub: Arc<Hub>, at: SocketAddr, caller: u64, begun: Instant) -> anyhow::Result<(Vec<Call>, u64)> {
    let (mut calls, mut failed, mut desk, chance) = (Vec::new(), 0, None, entropy());
    let mut pace = tokio::time::interval(EVERY);
    while begun.elapsed() < BEFORE + AFTER {
        pace.tick().await;
        let number = calls.len() as u64 * CALLERS + caller;
        let (called, key) = (Instant::now(), chance.hex());
        loop {
            if desk.is_none() {
                desk = Desk::open_at(&hub, at).await.ok();
            }
            let made = match &mut desk {
                Some(open) => open.create(work::ONE, work::task(number, AGENTS), Some(&key)).await.is_ok(),
                None => false,
            };
            if made {
                break;
            }
            ensure!(called.elapsed() < PATIENCE, "a call was not answered");
            (desk, failed) = (None, failed + 1);
            tokio::time::sleep(AGAIN).await;
        }
        calls.push(Call { number, called, answered: Instant::now() });
    }
    Ok((calls, failed))
}

/// Carries connections to these hubs in turn, and to the next where one does not take it.
async fn balancer(hubs: [SocketAddr; 2]) -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        let mut turn = 0;
        while let Ok((mut near, _)) = listener.accept().await {
            turn += 1;
            tokio::spawn(async move {
                for next in 0..hubs.len() {
                    if let Ok(mut far) = TcpStream::connect(hubs[(turn + next) % hubs.len()]).await {
                        let _ = (near.set_nodelay(true), far.set_nodelay(true));
                        let _cut = tokio::io::copy_bidirectional(&mut near, &mut far).await;
                        return;
                    }
                }
            });
        }
    });
    Ok(address)
}
