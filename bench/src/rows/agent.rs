//! P9: the slim agent as a process of its own. Its memory while it waits at the hub and while the hub
//! is away, whether that grows, and the size of its program.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use tokio::process::{Child, Command};

use crate::cli::Setup;
use crate::figure::Figure;
use crate::fleet::invite;
use crate::hub::Hub;
use crate::process::{own_kib, resident_kib};

/// Before memory is looked at: the line is open and the first wait held.
const SETTLES: Duration = Duration::from_secs(5);
/// How often it is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Measures it.
pub(super) async fn measure(setup: &Setup) -> anyhow::Result<Vec<Figure>> {
    let (folder, program) = (setup.scratch()?, setup.agent()?);
    let size = std::fs::metadata(&program)?.len();
    let hub = Hub::start(setup, &folder.path().join("hub")).await?;
    let data = folder.path().join("agent");
    enroll(&program, &hub, "bench-agent", &data).await?;
    let agent = run(&program, &data)?;
    let with_hub = watch(&agent, "agent_memory_hub_up", "waiting at the hub", setup.minutes).await?;
    hub.stop().await?;
    let without = watch(&agent, "agent_memory_hub_down", "the hub is away", setup.minutes).await?;
    let size = Figure { n: Some(size as f64), ..Figure::ours("agent_program_size", "n is bytes of the program file") };
    Ok(vec![size, with_hub, without])
}

/// Enrols the agent under a name, with its data in a folder.
pub(super) async fn enroll(program: &Path, hub: &Hub, name: &str, data: &Path) -> anyhow::Result<()> {
    let invite = invite(hub, name.to_owned()).await?;
    let enrolled = Command::new(program).args(["enroll", "--invite", &invite, "--data"]).arg(data).output().await?;
    ensure!(enrolled.status.success(), "the agent was not enrolled: {}", String::from_utf8_lossy(&enrolled.stderr));
    Ok(())
}

/// Starts it.
pub(super) fn run(program: &Path, data: &Path) -> anyhow::Result<Child> {
    let log = std::fs::File::create(data.with_extension("log"))?;
    let mut command = Command::new(program);
    command.arg("run").arg("--data").arg(data).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
    command.kill_on_drop(true).spawn().with_context(|| format!("{} cannot be started", program.display()))
}

/// Looks at the agent's memory for so many minutes.
async fn watch(agent: &Child, workload: &str, notes: &str, minutes: f64) -> anyhow::Result<Figure> {
    tokio::time::sleep(SETTLES).await;
    let pid = agent.id().context("the agent has ended")?;
    let (begun, mut seen) = (Instant::now(), Vec::new());
    loop {
        seen.push(resident_kib(pid).context("the agent has ended")?);
        if begun.elapsed().as_secs_f64() >= minutes * 60.0 {
            break;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    let (first, last) = (seen[0], *seen.last().unwrap_or(&0));
    let (growth, own) = (last as i64 - first as i64, own_kib(pid).unwrap_or(0));
    let notes = format!("{notes}; rss_kb is the agent's; {own} KiB of it its own; it grew by {growth} KiB");
    let most = seen.iter().max().copied();
    let figure = Figure::ours(workload, notes).counted(seen.len() as u64, begun.elapsed()).memory(most);
    Ok(Figure { rate: None, ..figure })
}
