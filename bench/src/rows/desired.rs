//! A publication to thousands of nodes: until each of them has taken the generation and told of it.

use std::time::{Duration, Instant};

use serde_json::json;
use sortie_rules::desired::LayerName;
use sortie_wire::desired::Publish;

use super::drift;
use crate::cli::Setup;
use crate::figure::Figure;
use crate::hub::Hub;
use crate::process::processor_seconds;
use crate::swarm::Swarm;

/// How often it is published, for the middle of the times.
const PUBLICATIONS: usize = 5;
/// How often it is looked whether all have told of it.
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// How long the hub is watched while nobody does anything.
const IDLE: Duration = Duration::from_secs(10);
/// What the hub asks its database.
const ASKED: &str = "sortie_database_transactions_total{";

/// Measures it.
pub(super) async fn measure(setup: &Setup) -> anyhow::Result<Vec<Figure>> {
    let folder = setup.scratch()?;
    let hub = Hub::start(setup, &folder.path().join("hub")).await?;
    let (count, line) = (setup.swarm as u64, hub.line()?);
    let swarm = Swarm::start(&hub, setup.swarm).await?;
    let org: LayerName = "org".parse().map_err(anyhow::Error::msg)?;
    let (mut published, mut observed, mut processor) = (Vec::new(), Vec::new(), 0.0);
    for number in 0..PUBLICATIONS {
        let (target, before) = (swarm.observed() + count, processor_seconds(hub.pid()));
        let content = format!("listen = {number}\n");
        let state = json!({"resources": {
            "directory/app": { "spec": { "path": "/etc/app" } },
            "file/app": { "spec": { "path": "/etc/app/conf", "content": content }, "after": ["directory/app"] },
        }});
        let publish = Publish { state: Some(state), message: "measured".to_owned(), ..Publish::default() };
        let begun = Instant::now();
        line.publish(&org, &publish, None).await?;
        published.push(begun.elapsed());
        while swarm.observed() < target {
            tokio::time::sleep(LOOK_EVERY).await;
        }
        observed.push(begun.elapsed());
        processor += processor_seconds(hub.pid()) - before;
    }
    let (idle_from, asked_from) = (processor_seconds(hub.pid()), hub.counter(ASKED).await?);
    tokio::time::sleep(IDLE).await;
    let idle = 100.0 * (processor_seconds(hub.pid()) - idle_from) / IDLE.as_secs_f64();
    let asked = (hub.counter(ASKED).await? - asked_from) as f64 / IDLE.as_secs_f64();
    let each_us = 1e6 * processor / (count as f64 * PUBLICATIONS as f64);
    let notes = format!(
        "until each of {count} nodes has fetched the generation and its account of it is on the hub's disk; \
         {each_us:.0} us of the hub's processor each; while all wait, {idle:.1} % of one and {asked:.1} transactions \
         of the database a second"
    );
    let shortest = observed.iter().min().copied().unwrap_or_default();
    let figures = vec![
        Figure::ours("desired_publish", format!("a publication for {count} nodes is on disk"))
            .counted(PUBLICATIONS as u64, published.iter().sum())
            .times(published),
        Figure::ours("desired_observed", notes).counted(count, shortest).times(observed).memory(hub.memory()),
    ];
    swarm.end();
    hub.stop().await?;
    Ok([figures, vec![drift::measure(setup).await?]].concat())
}
