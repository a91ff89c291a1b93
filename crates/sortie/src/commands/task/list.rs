//! `sortie task list`: tasks, newest first.

use clap::Args;
use sortie_client::people::Hub;
use sortie_rules::ids::JobId;
use sortie_rules::tasks::Status;
use sortie_rules::time::Millis;
use sortie_wire::tasks::{TaskQuery, TaskSummary};

use super::shown::reason;
use crate::commands::pages::{Pages, tell_rest};
use crate::context::Context;
use crate::exit::Done;
use crate::output::{Table, ago};

/// What it takes.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  sortie task list --node box-17 --status pending,in_progress\n  \
                        sortie task list --dead --all --json")]
pub(super) struct List {
    /// Only tasks of this node
    #[arg(long, value_name = "NAME|ID")]
    node: Option<String>,
    /// Only tasks in this state; several with commas between them
    #[arg(long, value_delimiter = ',', value_parser = parse_status)]
    status: Vec<Status>,
    /// Only tasks of this type
    #[arg(long = "type", value_name = "TYPE")]
    type_name: Option<String>,
    /// Only tasks of this job
    #[arg(long, value_name = "ID")]
    job: Option<JobId>,
    /// Only dead tasks: no agent reported them within their retries
    #[arg(long)]
    dead: bool,
    #[command(flatten)]
    pages: Pages,
}

fn parse_status(word: &str) -> Result<Status, String> {
    Status::parse(word).ok_or_else(|| {
        let words: Vec<&str> = Status::ALL.into_iter().map(Status::as_str).collect();
        format!("a status is one of {}", words.join(", "))
    })
}

/// Prints them.
pub(super) async fn run(list: List, hub: &Hub, context: &Context) -> Done {
    let page = list
        .pages
        .read(|after, limit| {
            let (hub, query) = (hub.clone(), list.query(after.as_deref(), limit));
            async move { hub.tasks(&query).await }
        })
        .await?;
    let output = context.output;
    output.either(&page, |page| {
        tell_rest(page, "There are no such tasks.", output);
        if page.items.is_empty() { Ok(()) } else { output.table(&table(&page.items, context.clock.now())) }
    })
}

impl List {
    fn query(&self, after: Option<&str>, limit: Option<u32>) -> TaskQuery {
        let words: Vec<&str> = self.status.iter().map(|status| status.as_str()).collect();
        TaskQuery {
            node: self.node.clone(),
            status: (!words.is_empty()).then(|| words.join(",")),
            type_name: self.type_name.clone(),
            dead: self.dead,
            job: self.job,
            after: after.and_then(|after| after.parse().ok()),
            limit,
        }
    }
}

fn table(tasks: &[TaskSummary], now: Millis) -> Table {
    let mut table = Table::new(["id", "type", "node", "status", "submitted", "ended", "why"]);
    for task in tasks {
        table.row([
            task.id.to_string(),
            task.type_name.clone(),
            task.node_name.clone(),
            task.status.as_str().to_owned(),
            ago(now, task.submitted_at),
            task.finished_at.map(|at| ago(now, at)).unwrap_or_default(),
            reason(task).unwrap_or_default(),
        ]);
    }
    table
}
