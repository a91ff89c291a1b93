//! `sortie task show`: a task with its payload and result.

use sortie_client::people::Hub;
use sortie_rules::ids::TaskId;
use sortie_rules::plain::plain;

use super::shown::rows;
use crate::context::Context;
use crate::exit::Done;
use crate::output::{Table, ago, details};
use sortie_rules::time::Millis;
use sortie_wire::logs::TaskProgress;
use sortie_wire::tasks::PostStep;

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
        output.lines(details(&lines, output.colours()))?;
        if task.post_steps.is_empty() {
            return Ok(());
        }
        output.line("\nafter it")?;
        output.table(&told_steps(&task.post_steps, context.clock.now()))
    })
}

/// How far a task is: `40 %, Loading studies`. An agent's words are told without what a terminal would
/// obey.
fn told_progress(progress: &TaskProgress) -> String {
    let message = plain(&progress.message);
    match progress.percent {
        Some(percent) if message.is_empty() => format!("{percent} %"),
        Some(percent) => format!("{percent} %, {message}"),
        None => message,
    }
}

/// The steps that follow a task.
pub(super) fn told_steps(steps: &[PostStep], now: Millis) -> Table {
    let mut table = Table::new(["step", "item", "kind", "status", "tries", "ended", "what came of it"]);
    for step in steps {
        let came = [step.code.clone(), step.message.clone()].into_iter().flatten().collect::<Vec<_>>().join(": ");
        table.row([
            step.name.clone(),
            if step.item == 0 { String::new() } else { step.item.to_string() },
            step.kind.clone(),
            step.status.clone(),
            step.tries.to_string(),
            step.finished_at.map(|at| ago(now, at)).unwrap_or_default(),
            came,
        ]);
    }
    table
}
