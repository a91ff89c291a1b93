//! `sortie task show`: a task with its payload and result.

use sortie_client::people::Hub;
use sortie_rules::ids::TaskId;

use super::shown::rows;
use crate::context::Context;
use crate::exit::Done;
use crate::output::details;
use sortie_wire::logs::TaskProgress;

/// Prints it.
pub(super) async fn run(id: TaskId, hub: &Hub, context: &Context) -> Done {
    let task = hub.task(id, None).await?;
    let output = context.output;
    output.either(&task, |task| {
        let pretty = |value| serde_json::to_string_pretty(value).unwrap_or_default();
        let mut lines = rows(&task.summary, context.clock.now());
        lines.extend(task.progress.as_ref().map(|progress| ("progress", told_progress(progress))));
        lines.push(("payload", pretty(&task.payload)));
        lines.extend(task.result.as_ref().map(|result| ("result", pretty(result))));
        lines.extend(task.traceparent.clone().map(|trace| ("trace", trace)));
        output.lines(details(&lines, output.colours()))
    })
}

/// How far a task is: `40 %, Loading studies`. An agent's words are told without what a terminal would
/// obey.
fn told_progress(progress: &TaskProgress) -> String {
    let message = progress.message.replace(char::is_control, " ");
    match progress.percent {
        Some(percent) if message.is_empty() => format!("{percent} %"),
        Some(percent) => format!("{percent} %, {message}"),
        None => message,
    }
}
