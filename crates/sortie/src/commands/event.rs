//! `sortie event`: what happened.

use clap::{Args, Subcommand};
use serde_json::Value;
use sortie_rules::ids::TaskId;
use sortie_wire::events::{Event, EventQuery};

use super::pages::Pages;
use crate::context::Context;
use crate::exit::Done;
use crate::find_hub::HubOptions;
use crate::output::{Table, ago};

/// What `sortie event` takes.
#[derive(Debug, Args)]
pub(crate) struct EventCommand {
    #[command(flatten)]
    hub: HubOptions,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List events: the newest, or those after a number
    List(List),
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  sortie event list --kind task --node box-17\n  \
                        sortie event list --after 1042 --all --json")]
struct List {
    /// Only events after this number, oldest first; without it the newest come, newest last
    #[arg(long, value_name = "NUMBER")]
    after: Option<u64>,
    /// Only events of this kind, or whose kind begins with this and a dot: `task`, `task.completed`
    #[arg(long)]
    kind: Option<String>,
    /// Only events about this node
    #[arg(long, value_name = "NAME|ID")]
    node: Option<String>,
    /// Only events about this task
    #[arg(long, value_name = "ID")]
    task: Option<TaskId>,
    #[command(flatten)]
    pages: Pages,
}

/// Does it.
pub(crate) async fn run(command: EventCommand, context: &Context) -> Done {
    let Verb::List(list) = command.verb;
    let (hub, output) = (context.hub(&command.hub)?, context.output);
    // Every event there is comes from the beginning.
    let first = if list.pages.wants_all() { list.after.or(Some(0)) } else { list.after };
    let page = list
        .pages
        .read(|after, limit| {
            let query = EventQuery {
                after: after.and_then(|after| after.parse().ok()).or(first),
                kind: list.kind.clone(),
                node: list.node.clone(),
                task: list.task,
                limit,
            };
            let hub = hub.clone();
            async move { hub.events(&query).await }
        })
        .await?;
    output.either(&page, |page| {
        if page.items.is_empty() {
            output.say("Nothing of this kind has happened.");
            return Ok(());
        }
        let mut table = Table::new(["number", "when", "kind", "by", "node", "task", "more"]);
        for event in &page.items {
            table.row([
                event.number.to_string(),
                ago(context.clock.now(), event.at),
                event.kind.clone(),
                event.actor.clone(),
                event.node_name.clone().unwrap_or_default(),
                event.task.map(|id| id.to_string()).unwrap_or_default(),
                more(event),
            ]);
        }
        output.table(&table)
    })
}

/// An event's data on one line: `attempt 1, code boom`.
pub(crate) fn more(event: &Event) -> String {
    let Value::Object(data) = &event.data else { return String::new() };
    let said = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    data.iter().map(|(name, value)| format!("{name} {}", said(value))).collect::<Vec<_>>().join(", ")
}
