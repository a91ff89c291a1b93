//! Waits for a task to end. The hub holds the answer until then, so the end is known at once; a hub
//! that is restarted meanwhile is simply asked again.

use sortie_client::people::Hub;
use sortie_rules::ids::TaskId;
use sortie_rules::limits::WAIT_DEFAULT;
use sortie_rules::time::Span;
use sortie_wire::tasks::Task;

use crate::commands::within::within;
use crate::context::Context;
use crate::exit::Failure;

/// How long is waited, and what the spinner says.
#[derive(Debug)]
pub(super) struct Patience {
    pub(super) timeout: Option<Span>,
    pub(super) spinner: String,
}

/// Waits until the task has ended.
pub(super) async fn await_end(hub: &Hub, id: TaskId, patience: Patience, context: &Context) -> Result<Task, Failure> {
    let spinner = context.output.spinner(format!("{}: submitted", patience.spinner));
    let wait_s = u32::try_from(WAIT_DEFAULT.0 / 1000).unwrap_or(1);
    let ended = async {
        let mut task = hub.task(id, None).await?;
        while !task.summary.status.is_terminal() {
            spinner.say(format!("{}: {}", patience.spinner, task.summary.status.as_str()));
            task = hub.task(id, Some(wait_s)).await?;
        }
        Ok(task)
    };
    within(patience.timeout, &goes_on(id, context), ended).await
}

/// Says that a task goes on, and how to look at it.
pub(super) fn goes_on(id: TaskId, context: &Context) -> String {
    format!("the task goes on: {}", context.next_command(&format!("task watch {id}")))
}
