//! `sortie job watch`: how a job goes, until it is over.

use std::time::Duration;

use clap::Args;
use sortie_client::people::Hub;
use sortie_rules::ids::JobId;
use sortie_rules::time::Span;
use sortie_wire::jobs::{Job, JobCounts, JobNodeQuery};

use super::shown::{ended, in_words, table};
use crate::commands::within::within;
use crate::context::Context;
use crate::exit::{Done, Exit, Failure};
use crate::output::{clock_time, seconds};

/// How often the job is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Most nodes that are named at the end of a job that did not go well.
const NAMED_MAX: u32 = 20;

/// What it takes.
#[derive(Debug, Args)]
#[command(after_help = "Example: sortie job watch 01980c5e-7d1a-7c3e-9b7e-0123456789ab --timeout 1h\n\
                        With --json each change is one line. The exit code is 0 if every node completed, else 5.")]
pub(super) struct Watch {
    /// The job's id
    id: JobId,
    /// Wait no longer than this, for example 10m; without end if absent
    #[arg(long, value_name = "SPAN")]
    timeout: Option<Span>,
}

/// Follows it.
pub(super) async fn run(watch: Watch, hub: &Hub, context: &Context) -> Done {
    follow(watch.id, watch.timeout, hub, context).await
}

/// Shows how a job goes, and at its end which nodes did not complete.
pub(super) async fn follow(id: JobId, timeout: Option<Span>, hub: &Hub, context: &Context) -> Done {
    let goes_on = format!("the job goes on: {}", context.next_command(&format!("job watch {id}")));
    let job = within(timeout, &goes_on, until_over(id, hub, context)).await?;
    let (counts, output) = (job.counts.unwrap_or_default(), context.output);
    let is_well = counts.completed == job.nodes;
    if !output.json() {
        let word = output.talk_colours().word(job.status.as_str());
        let took = job.finished_at.map(|at| seconds(at.since(job.submitted_at).to_std())).unwrap_or_default();
        output.say(&format!("{word} after {took}: {}", in_words(&counts)));
        if !is_well {
            name_others(&counts, &job, hub, context).await?;
        }
    }
    if is_well { Ok(()) } else { Err(Failure::Silent(Exit::NotCompleted)) }
}

async fn until_over(id: JobId, hub: &Hub, context: &Context) -> Result<Job, Failure> {
    let output = context.output;
    let mut bar = None;
    let mut before = None;
    loop {
        let job = hub.job(id).await?;
        let counts = job.counts.unwrap_or_default();
        if before != Some((job.status, counts)) {
            let words = in_words(&counts);
            if output.json() {
                output.value_line(&job)?;
            } else if output.someone_looks() {
                let bar = bar.get_or_insert_with(|| output.progress_bar(u64::from(job.nodes)));
                bar.set(u64::from(ended(&counts)), format!("{} · {words}", job.status.as_str()));
            } else {
                let now = clock_time(context.clock.now());
                output.line(&format!("{now}  {:<10}  {words}", job.status.as_str()))?;
            }
        }
        before = Some((job.status, counts));
        if job.status.is_terminal() {
            return Ok(job);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Names the nodes at which the work did not succeed.
async fn name_others(counts: &JobCounts, job: &Job, hub: &Hub, context: &Context) -> Done {
    let output = context.output;
    let mut nodes = Vec::new();
    for (status, many) in [("failed", counts.failed), ("rejected", counts.rejected), ("expired", counts.expired)] {
        if many > 0 {
            let query = JobNodeQuery { status: Some(status.to_owned()), limit: Some(NAMED_MAX), after: None };
            nodes.extend(hub.job_nodes(job.id, &query).await?.items);
        }
    }
    if !nodes.is_empty() {
        nodes.truncate(NAMED_MAX as usize);
        output.table(&table(&nodes, context.clock.now()))?;
    }
    let sorts = [("failed", counts.failed), ("rejected", counts.rejected), ("expired", counts.expired)];
    let rest = [("cancelled", counts.cancelled), ("skipped", counts.skipped)];
    let status = sorts.into_iter().chain(rest).find(|(_, many)| *many > 0).map(|(status, _)| status);
    let status = status.map(|status| format!(" --status {status}")).unwrap_or_default();
    output.say(&format!("  {}", context.next_command(&format!("job show {}{status}", job.id))));
    Ok(())
}
