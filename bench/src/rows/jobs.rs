//! The first stage of P5, and a job: thousands of agents wait, each on its own connection with its own
//! certificate; what the hub's memory is for each of them; and a job over all of them, with its table
//! read in pages while it runs.

use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::json;
use sortie_rules::ids::JobId;
use sortie_wire::jobs::{JobNodeQuery, RunJob};

use crate::cli::Setup;
use crate::figure::Figure;
use crate::hub::Hub;
use crate::process::processor_seconds;
use crate::swarm::Swarm;
use crate::work;

/// How often a job is created, for the middle of the times.
const JOBS: usize = 3;
/// Rows of a page, as a console would show them.
const PAGE: u32 = 100;
/// How long the hub is watched while nobody does anything.
const IDLE: Duration = Duration::from_secs(5);

/// How long it took to read pages of the table, and the counts.
type Read = (Vec<Duration>, Vec<Duration>);

/// Measures it.
pub(super) async fn measure(setup: &Setup) -> anyhow::Result<Vec<Figure>> {
    let folder = setup.scratch()?;
    let hub = Hub::start(setup, &folder.path().join("hub")).await?;
    let count = setup.swarm;
    let before = hub.memory().unwrap_or(0);
    let begun = Instant::now();
    let swarm = Swarm::start(&hub, count).await?;
    let came = begun.elapsed();
    let processor = processor_seconds(hub.pid());
    tokio::time::sleep(IDLE).await;
    let idle_share = 100.0 * (processor_seconds(hub.pid()) - processor) / IDLE.as_secs_f64();
    let memory = hub.memory().unwrap_or(0);
    let each = (memory as f64 - before as f64) / count as f64;
    let notes = format!(
        "n is KiB of the hub for each agent that waits over its own mutual TLS; {count} enrolled and waited after \
         {:.0} s; the hub used {idle_share:.1} % of a processor while they waited",
        came.as_secs_f64()
    );
    let idle = Figure { n: Some((each * 10.0).round() / 10.0), ..Figure::ours("idle_agents_mtls", notes) };
    let mut figures = vec![idle.memory(Some(memory))];
    figures.extend(jobs(&hub, &swarm, count).await?);
    swarm.end();
    hub.stop().await?;
    Ok(figures)
}

async fn jobs(hub: &Hub, swarm: &Swarm, count: usize) -> anyhow::Result<Vec<Figure>> {
    let (line, mut created, mut pages, mut shows, mut whole) = (hub.line()?, vec![], vec![], vec![], vec![]);
    let request: RunJob =
        serde_json::from_value(json!({ "type": work::TYPE, "payload": { "ms": 0 }, "selector": { "all": true } }))?;
    for _ in 0..JOBS {
        let target = swarm.done() + count as u64;
        let begun = Instant::now();
        let job = line.run_job(&request, None).await?;
        created.push(begun.elapsed());
        let reader = reader(hub, job.id)?;
        while swarm.done() < target {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        whole.push(begun.elapsed());
        let read = tokio::task::spawn_blocking(|| reader.join()).await?;
        let (turned, shown) = read.map_err(|_| anyhow::anyhow!("the reader ended badly"))??;
        pages.extend(turned);
        shows.extend(shown);
    }
    let per = |times: &[Duration]| (times.len() as u64, times.iter().sum::<Duration>());
    let figure = |name: &str, notes: String, times: Vec<Duration>| {
        let (n, seconds) = per(&times);
        Figure::ours(name, notes).counted(n, seconds).times(times)
    };
    let shortest = whole.iter().min().copied().unwrap_or_default();
    let done = Figure::ours("job_done", format!("until the result of each of {count} nodes is on the hub's disk"))
        .counted(count as u64, shortest)
        .times(whole)
        .memory(hub.memory());
    Ok(vec![
        figure("job_create", format!("a job for {count} nodes is on disk"), created),
        figure("job_table_page", format!("a page of {PAGE} rows while the job runs"), pages),
        figure("job_show", "the counts while the job runs".to_owned(), shows),
        done,
    ])
}

/// Turns the pages of a job's table, as someone who turns them quickly, until the job is over. On a
/// thread of its own: the agents of this process are not to stand before it.
fn reader(hub: &Hub, job: JobId) -> anyhow::Result<JoinHandle<anyhow::Result<Read>>> {
    let line = hub.line()?;
    Ok(std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async move {
            let (mut pages, mut shows, mut after) = (Vec::new(), Vec::new(), None);
            loop {
                let asked = Instant::now();
                let page = line.job_nodes(job, &JobNodeQuery { status: None, after, limit: Some(PAGE) }).await?;
                pages.push(asked.elapsed());
                after = page.next.and_then(|next| next.parse().ok());
                let asked = Instant::now();
                let is_over = line.job(job).await?.finished_at.is_some();
                shows.push(asked.elapsed());
                if is_over {
                    return Ok((pages, shows));
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
    }))
}
