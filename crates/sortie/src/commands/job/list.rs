//! `sortie job list`: jobs, newest first.

use clap::Args;
use sortie_client::people::Hub;
use sortie_rules::jobs::JobStatus;
use sortie_wire::jobs::JobQuery;

use super::shown::selector;
use crate::commands::pages::{Pages, tell_rest};
use crate::context::Context;
use crate::exit::Done;
use crate::output::{Table, ago};

/// What it takes.
#[derive(Debug, Args)]
#[command(after_help = "Example: sortie job list --status running")]
pub(super) struct List {
    /// Only jobs of this status
    #[arg(long, value_parser = parse_status)]
    status: Option<JobStatus>,
    #[command(flatten)]
    pages: Pages,
}

fn parse_status(word: &str) -> Result<JobStatus, String> {
    JobStatus::parse(word).ok_or_else(|| {
        let words: Vec<&str> = JobStatus::ALL.into_iter().map(JobStatus::as_str).collect();
        format!("a status is one of {}", words.join(", "))
    })
}

/// Prints them.
pub(super) async fn run(list: List, hub: &Hub, context: &Context) -> Done {
    let page = list
        .pages
        .read(|after, limit| {
            let after = after.and_then(|after| after.parse().ok());
            let (hub, query) = (hub.clone(), JobQuery { status: list.status, after, limit });
            async move { hub.jobs(&query).await }
        })
        .await?;
    let (output, now) = (context.output, context.clock.now());
    output.either(&page, |page| {
        tell_rest(page, "There are no such jobs. `sortie job run` begins one.", output);
        if page.items.is_empty() {
            return Ok(());
        }
        let mut table = Table::new(["id", "type", "selector", "nodes", "status", "submitted", "ended"]);
        for job in &page.items {
            table.row([
                job.id.to_string(),
                job.type_name.clone(),
                selector(&job.selector),
                job.nodes.to_string(),
                job.status.as_str().to_owned(),
                ago(now, job.submitted_at),
                job.finished_at.map(|at| ago(now, at)).unwrap_or_default(),
            ]);
        }
        output.table(&table)
    })
}
