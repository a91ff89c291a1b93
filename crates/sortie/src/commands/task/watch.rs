//! `sortie task watch`: what happens to a task, until it ends.

use clap::Args;
use sortie_client::people::Hub;
use sortie_rules::ids::TaskId;
use sortie_rules::time::Span;
use sortie_wire::events::{Event, EventQuery};
use sortie_wire::tasks::Task;

use super::await_end::goes_on;
use super::shown::told_end;
use crate::commands::event::more;
use crate::commands::within::within;
use crate::context::Context;
use crate::exit::{Done, Failure};
use crate::output::clock_time;

/// How long the hub may hold an answer between two looks at the events.
const LOOK_EVERY_S: u32 = 1;

/// What it takes.
#[derive(Debug, Args)]
#[command(after_help = "Example: sortie task watch 01980c5e-7d1a-7c3e-9b7e-0123456789ab --timeout 10m\n\
                        With --json each event is one line, and so is the task at its end.")]
pub(super) struct Watch {
    /// The task's id
    id: TaskId,
    /// Wait no longer than this, for example 10m; without end if absent
    #[arg(long, value_name = "SPAN")]
    timeout: Option<Span>,
}

/// Prints every event of the task, then its end.
pub(super) async fn run(watch: Watch, hub: &Hub, context: &Context) -> Done {
    let ended = within(watch.timeout, &goes_on(watch.id, context), follow(watch.id, hub, context)).await?;
    if context.output.json() {
        context.output.value_line(&ended)?;
        return super::shown::exit_of(&ended);
    }
    told_end(&ended, context)
}

async fn follow(id: TaskId, hub: &Hub, context: &Context) -> Result<Task, Failure> {
    let mut seen = 0;
    let mut task = hub.task(id, None).await?;
    loop {
        // The task was read first: if it had ended then, these events are all there will be.
        seen = print_events(id, seen, hub, context).await?;
        if task.summary.status.is_terminal() {
            return Ok(task);
        }
        let _spinner = context.output.spinner(task.summary.status.as_str());
        task = hub.task(id, Some(LOOK_EVERY_S)).await?;
    }
}

async fn print_events(id: TaskId, mut seen: u64, hub: &Hub, context: &Context) -> Result<u64, Failure> {
    loop {
        let query = EventQuery { after: Some(seen), task: Some(id), ..EventQuery::default() };
        let page = hub.events(&query).await?;
        if page.items.is_empty() {
            return Ok(seen);
        }
        for event in &page.items {
            print(event, context)?;
            seen = seen.max(event.number);
        }
    }
}

fn print(event: &Event, context: &Context) -> Done {
    if context.output.json() {
        return context.output.value_line(event);
    }
    let line = format!("{}  {:<18}  by {}  {}", clock_time(event.at), event.kind, event.actor, more(event));
    context.output.line(line.trim_end())
}
