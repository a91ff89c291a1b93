//! `sortie job show`: a job and how each of its nodes fares.

use clap::Args;
use serde::Serialize;
use sortie_client::people::Hub;
use sortie_rules::ids::JobId;
use sortie_wire::jobs::{Job, JobNode, JobNodeQuery};
use sortie_wire::pages::Page;

use super::shown::{rows, table};
use crate::commands::pages::{Pages, tell_rest};
use crate::context::Context;
use crate::exit::Done;
use crate::output::details;

/// What it takes.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  sortie job show 01980c5e-7d1a-7c3e-9b7e-0123456789ab\n  \
                        sortie job show 01980c5e-7d1a-7c3e-9b7e-0123456789ab --status failed --all")]
pub(super) struct Show {
    /// The job's id
    id: JobId,
    /// Only nodes of this status: waiting, skipped, or that of a task
    #[arg(long)]
    status: Option<String>,
    #[command(flatten)]
    pages: Pages,
}

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Shown {
    job: Job,
    nodes: Page<JobNode>,
}

/// Prints it.
pub(super) async fn run(show: Show, hub: &Hub, context: &Context) -> Done {
    let job = hub.job(show.id).await?;
    let nodes = show
        .pages
        .read(|after, limit| {
            let after = after.and_then(|after| after.parse().ok());
            let (hub, query) = (hub.clone(), JobNodeQuery { status: show.status.clone(), after, limit });
            async move { hub.job_nodes(show.id, &query).await }
        })
        .await?;
    let (output, now) = (context.output, context.clock.now());
    output.either(&Shown { job, nodes }, |shown| {
        output.lines(details(&rows(&shown.job, now), output.colours()))?;
        output.line("")?;
        tell_rest(&shown.nodes, "There are no such nodes.", output);
        if shown.nodes.items.is_empty() { Ok(()) } else { output.table(&table(&shown.nodes.items, now)) }
    })
}
