//! What a command handler costs: tasks one after the other, done by a program (`cat`, which gives the
//! payload back as the result) and by a builtin, beside a bare fork and exec of the same program.

use std::io::Write as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use sortie_wire::tasks::SubmitTask;
use tokio::process::Command;

use crate::cli::Setup;
use crate::figure::Figure;
use crate::fleet::invite;
use crate::hub::Hub;

/// Tasks of each sort.
const TASKS: usize = 300;
/// Tasks before them, for caches.
const WARM: usize = 30;
/// The type that the program does.
const TYPE: &str = "bench.count";
/// The program: it gives back what it gets.
const PROGRAM: &str = "/usr/bin/cat";
const PAYLOAD: &str = r#"{"ms":0}"#;

/// Measures it.
pub(super) async fn measure(setup: &Setup) -> anyhow::Result<Vec<Figure>> {
    let folder = setup.scratch()?;
    let (hub_data, agent_data) = (folder.path().join("hub"), folder.path().join("agent"));
    let pack = hub_data.join("packs/bench");
    std::fs::create_dir_all(hub_data.join("packs"))?;
    let written = Command::new(setup.sortie()?).args(["pack", "new", "bench"]).arg(&pack).output().await?;
    ensure!(written.status.success(), "{}", String::from_utf8_lossy(&written.stderr));
    for schema in ["payload", "result"] {
        std::fs::write(pack.join(format!("schemas/count.{schema}.json")), "{}")?;
    }
    let hub = Hub::start(setup, &hub_data).await?;
    let (invite, program) = (invite(&hub, "bench-agent".to_owned()).await?, setup.agent()?);
    let enrolled =
        Command::new(&program).args(["enroll", "--invite", &invite, "--data"]).arg(&agent_data).output().await?;
    ensure!(enrolled.status.success(), "{}", String::from_utf8_lossy(&enrolled.stderr));
    let policy = format!("allow = [\"sleep\"]\n[handlers.\"{TYPE}\"]\nkind = \"command\"\nprogram = \"{PROGRAM}\"\n");
    std::fs::write(agent_data.join("policy.toml"), policy)?;
    let log = std::fs::File::create(agent_data.with_extension("log"))?;
    let mut command = Command::new(&program);
    command.arg("run").arg("--data").arg(&agent_data).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
    let _agent = command.kill_on_drop(true).spawn().context("the agent cannot be started")?;
    let by_builtin = lives(&hub, "sleep").await?;
    let by_program = lives(&hub, TYPE).await?;
    let bare = bare()?;
    hub.stop().await?;
    let middle = |times: &[Duration]| {
        let mut times = times.to_vec();
        times.sort_unstable();
        times[times.len() / 2].as_secs_f64() * 1000.0
    };
    let over = middle(&by_program) - middle(&by_builtin) - middle(&bare);
    let notes = format!("one after the other; {over:.2} ms over the builtin and the bare fork and exec together");
    Ok(vec![
        Figure::ours("bare_fork_exec", format!("{PROGRAM} with a pipe to it and from it")).times(bare),
        Figure::ours("life_builtin", "submitted until its end is known, one after the other").times(by_builtin),
        Figure::ours("life_command", notes).times(by_program),
    ])
}

/// How long tasks of a type take, from their submission until their end is known.
async fn lives(hub: &Hub, type_name: &str) -> anyhow::Result<Vec<Duration>> {
    let line = hub.line()?;
    let task: SubmitTask = serde_json::from_value(
        serde_json::json!({ "type": type_name, "node": "bench-agent", "payload": { "ms": 0 } }),
    )?;
    let mut times = Vec::with_capacity(TASKS);
    for number in 0..WARM + TASKS {
        let begun = Instant::now();
        let id = line.submit(&task, None).await?.id;
        let ended = line.task(id, Some(30)).await?;
        ensure!(ended.result.is_some(), "{:?}", ended.summary);
        if number >= WARM {
            times.push(begun.elapsed());
        }
    }
    Ok(times)
}

fn bare() -> anyhow::Result<Vec<Duration>> {
    let mut times = Vec::with_capacity(TASKS);
    for _ in 0..TASKS {
        let begun = Instant::now();
        let mut child =
            std::process::Command::new(PROGRAM).env_clear().stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        child.stdin.take().context("piped above")?.write_all(PAYLOAD.as_bytes())?;
        ensure!(child.wait_with_output()?.stdout == PAYLOAD.as_bytes());
        times.push(begun.elapsed());
    }
    Ok(times)
}
