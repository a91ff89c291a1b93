//! `sortie task show`: a task with its payload and result.

use sortie_client::people::Hub;
use sortie_rules::ids::TaskId;

use super::shown::rows;
use crate::context::Context;
use crate::exit::Done;
use crate::output::details;

/// Prints it.
pub(super) async fn run(id: TaskId, hub: &Hub, context: &Context) -> Done {
    let task = hub.task(id, None).await?;
    let output = context.output;
    output.either(&task, |task| {
        let pretty = |value| serde_json::to_string_pretty(value).unwrap_or_default();
        let mut lines = rows(&task.summary, context.clock.now());
        lines.push(("payload", pretty(&task.payload)));
        lines.extend(task.result.as_ref().map(|result| ("result", pretty(result))));
        lines.extend(task.traceparent.clone().map(|trace| ("trace", trace)));
        output.lines(details(&lines, output.colours()))
    })
}
