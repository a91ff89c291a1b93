//! P2: a hundred tasks in each request, all of them durable when it is answered.

use std::time::Duration;

use super::ground::Ground;
use crate::cli::Setup;
use crate::crowd::{Errand, submit};
use crate::figure::Figure;
use crate::load::Desk;

/// Tasks in one request.
const BATCH: u64 = 100;
/// Clients that keep the hub busy.
const CLIENTS: usize = 4;
/// Tasks after which a phase ends. The peers' end at 60,000.
const TASKS: u64 = 400_000;

/// Measures it with a few clients, the tasks of a request for one node or for all in turn, and with one
/// client alone.
pub(super) async fn measure(setup: &Setup) -> anyhow::Result<Vec<Figure>> {
    let ground = Ground::new(setup, setup.nodes).await?;
    let time = Duration::from_secs_f64(setup.seconds);
    let errand = Errand { first: 0, batch: BATCH, count: TASKS, time, nodes: setup.nodes, mixed: false, keyed: false };
    let warm_up = Errand { count: 10_000, ..errand };
    submit(&ground.hub, Desk::open_many(&ground.hub, CLIENTS).await?, warm_up).await?;
    let mut figures = Vec::new();
    for (workload, clients, mixed, notes) in [
        ("enqueue_batch", CLIENTS, false, "batches of 100, each for one node, 4 clients; times are per batch"),
        ("enqueue_batch_mixed", CLIENTS, true, "batches of 100, mixed, 4 clients; times are per batch"),
        ("enqueue_batch_c1", 1, false, "batches of 100, each for one node, one client; times are per batch"),
    ] {
        let errand = Errand { mixed, ..errand };
        let done = submit(&ground.hub, Desk::open_many(&ground.hub, clients).await?, errand).await?;
        figures.push(done.figure(workload, notes, &ground.hub));
    }
    ground.end().await?;
    Ok(figures)
}
