//! What it costs an agent to look whether anything has drifted: the slim agent as a process, with hundreds of files
//! that are as they should be.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde_json::{Map, Value, json};
use sortie_client::people::Hub as People;
use sortie_rules::desired::{LayerName, Standing};
use sortie_wire::desired::Publish;

use super::agent;
use crate::cli::Setup;
use crate::figure::Figure;
use crate::hub::Hub;
use crate::process::processor_seconds;

/// How many resources there are.
const RESOURCES: usize = 200;
/// How long the agent is watched: it looks every second, or not at all.
const WATCHED: Duration = Duration::from_secs(30);
/// How often it is asked whether the node is in order.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// The period of an agent that is to look at nothing meanwhile, in seconds.
const SELDOM: u32 = 86_400;

/// Measures it.
pub(super) async fn measure(setup: &Setup) -> anyhow::Result<Figure> {
    let (folder, program) = (setup.scratch()?, setup.agent()?);
    let hub = Hub::start(setup, &folder.path().join("hub")).await?;
    let (line, kept) = (hub.line()?, folder.path().join("kept"));
    std::fs::create_dir(&kept)?;
    let files: Map<String, Value> = (0..RESOURCES)
        .map(|number| {
            let (path, content) = (kept.join(format!("{number}.conf")), format!("listen = {number}\n").repeat(64));
            (format!("file/f{number}"), json!({ "spec": { "path": path, "content": content } }))
        })
        .collect();
    let org: LayerName = "org".parse().map_err(anyhow::Error::msg)?;
    let state = Some(json!({ "resources": files }));
    let publish = Publish { state, message: "measured".to_owned(), ..Publish::default() };
    line.publish(&org, &publish, None).await?;
    let mut used = Vec::new();
    for (name, look_every_s) in [("looks", 1), ("rests", SELDOM)] {
        let data = folder.path().join(name);
        agent::enroll(&program, &hub, name, &data).await?;
        std::fs::write(data.join("policy.toml"), policy(&kept, look_every_s))?;
        let running = agent::run(&program, &data)?;
        in_order(&line, name).await?;
        let pid = running.id().context("the agent has ended")?;
        let before = processor_seconds(pid);
        tokio::time::sleep(WATCHED).await;
        used.push(processor_seconds(pid) - before);
    }
    hub.stop().await?;
    let (looking, resting, times) = (used[0], used[1], WATCHED.as_secs());
    let each_ms = 1e3 * (looking - resting).max(0.0) / times as f64;
    let notes = format!(
        "{RESOURCES} files of 1 KiB as they should be: {each_ms:.2} ms of the processor for each look at all of them \
         ({looking:.2} s in {times} looks, {resting:.2} s in the same time without any)"
    );
    Ok(Figure { n: Some(each_ms), ..Figure::ours("drift_check_200", notes) })
}

fn policy(root: &Path, look_every_s: u32) -> String {
    format!("[desired]\nkinds = [\"file\"]\nlook_every_s = {look_every_s}\n[desired_files]\nroots = [{root:?}]\n")
}

/// Waits until a node has said that it is in order.
async fn in_order(line: &People, node: &str) -> anyhow::Result<()> {
    let begun = Instant::now();
    loop {
        let desired = line.node_desired(node).await?;
        let generation = desired.generation;
        let observed = desired.observed.filter(|said| said.observed.generation == generation);
        if generation > 0 && observed.is_some_and(|said| said.standing == Standing::Converged) {
            return Ok(());
        }
        anyhow::ensure!(begun.elapsed() < Duration::from_secs(60), "the node {node} does not come in order");
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
