//! `sortie event`: what happened.

use clap::{Args, Subcommand};
use serde_json::Value;
use sortie_client::people::Hub;
use sortie_rules::ids::TaskId;
use sortie_rules::limits::WAIT_DEFAULT;
use sortie_wire::events::{Event, EventQuery};

use super::pages::Pages;
use crate::context::Context;
use crate::exit::Done;
use crate::find_hub::HubOptions;
use crate::output::{Table, ago, clock_time};

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
    /// Print events as they happen
    Tail(Tail),
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  sortie event tail --kind task.failed\n  sortie event tail --from 1042 --json\n\n\
                        It goes on until it is ended (Ctrl-C), over breaks of the line and restarts of the hub,\n\
                        without leaving an event out. With --json each event is one line.")]
struct Tail {
    /// Begin after this number instead of with what happens next
    #[arg(long, value_name = "NUMBER")]
    from: Option<u64>,
    /// Only events of this kind, or whose kind begins with this and a dot: `task`, `task.completed`
    #[arg(long)]
    kind: Option<String>,
    /// Only events about this node
    #[arg(long, value_name = "NAME|ID")]
    node: Option<String>,
    /// Only events about this task
    #[arg(long, value_name = "ID")]
    task: Option<TaskId>,
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
    let list = match command.verb {
        Verb::List(list) => list,
        Verb::Tail(tail) => return follow(tail, &context.patient_hub(&command.hub)?, context).await,
    };
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
                wait_s: None,
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

/// Prints what happens, for ever.
async fn follow(tail: Tail, hub: &Hub, context: &Context) -> Done {
    let newest = EventQuery { limit: Some(1), ..EventQuery::default() };
    let after = match tail.from {
        Some(after) => after,
        None => hub.events(&newest).await?.items.last().map_or(0, |event| event.number),
    };
    let wait_s = u32::try_from(WAIT_DEFAULT.0 / 1000).ok();
    let mut query =
        EventQuery { after: Some(after), kind: tail.kind, node: tail.node, task: tail.task, wait_s, limit: None };
    loop {
        for event in hub.events(&query).await?.items {
            query.after = Some(event.number);
            print(&event, context)?;
        }
    }
}

/// Prints an event on a line of its own.
pub(crate) fn print(event: &Event, context: &Context) -> Done {
    if context.output.json() {
        return context.output.value_line(event);
    }
    let about = event.node_name.clone().unwrap_or_default();
    let task = event.task.map(|id| id.to_string()).unwrap_or_default();
    let line = format!(
        "{}  {:>8}  {:<18}  by {}  {about} {task} {}",
        clock_time(event.at),
        event.number,
        event.kind,
        event.actor,
        more(event)
    );
    context.output.line(line.trim_end())
}

/// An event's data on one line: `attempt 1, code boom`.
pub(crate) fn more(event: &Event) -> String {
    let Value::Object(data) = &event.data else { return String::new() };
    let said = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    data.iter().map(|(name, value)| format!("{name} {}", said(value))).collect::<Vec<_>>().join(", ")
}
