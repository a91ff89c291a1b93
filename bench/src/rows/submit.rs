//! P1: 32 clients, each with a connection of its own, submit one durable task per request.

use std::time::Duration;

use super::ground::Ground;
use crate::cli::Setup;
use crate::crowd::{Errand, submit};
use crate::figure::Figure;
use crate::load::Desk;

/// How many clients there are.
const CLIENTS: usize = 32;
/// Tasks after which a phase ends.
const TASKS: u64 = 100_000;

/// Measures it as the peers are, then with the key that makes a repeated request harmless, then one
/// client alone.
pub(super) async fn measure(setup: &Setup) -> anyhow::Result<Vec<Figure>> {
    let ground = Ground::new(setup, setup.nodes).await?;
    let time = Duration::from_secs_f64(setup.seconds);
    let (count, nodes) = (TASKS, setup.nodes);
    let plain = Errand { first: 0, batch: 1, count, time, nodes, mixed: true, keyed: false };
    let usual = format!("HTTP/1.1 over TLS 1.3, {}, one task per request", ground.engine);
    let phases = [
        ("enqueue_c32", CLIENTS, usual.as_str(), plain),
        ("enqueue_c32_keyed", CLIENTS, "each with an Idempotency-Key", Errand { keyed: true, ..plain }),
        ("enqueue_c1", 1, "one client", plain),
    ];
    let warm_up = Errand { count: 2_000, ..plain };
    submit(&ground.hub, Desk::open_many(&ground.hub, CLIENTS).await?, warm_up).await?;
    let mut figures = Vec::new();
    for (workload, clients, notes, errand) in phases {
        let done = submit(&ground.hub, Desk::open_many(&ground.hub, clients).await?, errand).await?;
        figures.push(done.figure(workload, notes, &ground.hub));
    }
    ground.end().await?;
    Ok(figures)
}
