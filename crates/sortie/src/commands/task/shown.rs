//! How a task looks, and how its end is told.

use sortie_rules::plain::plain;
use sortie_rules::tasks::Status;
use sortie_rules::time::{Millis, Span};
use sortie_wire::tasks::{Task, TaskSummary};

use crate::context::Context;
use crate::exit::{Done, Exit, Failure};
use crate::output::moment;

/// Prints the result of an awaited task and says how it ended. Not completed is exit code 5.
pub(super) fn told_end(task: &Task, context: &Context) -> Done {
    let output = context.output;
    if output.json() {
        output.value(task)?;
        return exit_of(task);
    }
    let summary = &task.summary;
    let took = summary.finished_at.map(|at| format!(" after {}", took(at.since(summary.submitted_at))));
    let colours = output.talk_colours();
    output.say(&format!("{}{}", colours.word(summary.status.as_str()), took.unwrap_or_default()));
    if summary.status == Status::Completed {
        return task.result.as_ref().map_or(Ok(()), |result| output.value(result));
    }
    if let Some(reason) = reason(summary) {
        output.say(&format!("  {reason}"));
    }
    output.say(&format!("  {}", context.next_command(&format!("task show {}", summary.id))));
    exit_of(task)
}

/// The exit code that belongs to the end of an awaited task.
pub(super) fn exit_of(task: &Task) -> Done {
    if task.summary.status == Status::Completed { Ok(()) } else { Err(Failure::Silent(Exit::NotCompleted)) }
}

fn took(span: Span) -> String {
    crate::output::seconds(span.to_std())
}

/// Why a task did not complete, in one line. An agent's words are told without what a terminal would
/// obey.
pub(super) fn reason(task: &TaskSummary) -> Option<String> {
    let message = task.message.as_deref().map(plain);
    match (&task.code, message) {
        (Some(code), Some(message)) => Some(format!("{code}: {message}")),
        (Some(code), None) => Some(code.to_string()),
        (None, Some(message)) => Some(message),
        (None, None) => None,
    }
}

/// The lines of `sortie task show`, but for payload and result.
pub(super) fn rows(task: &TaskSummary, now: Millis) -> Vec<(&'static str, String)> {
    let mut rows = vec![
        ("id", task.id.to_string()),
        ("type", task.type_name.clone()),
        ("node", format!("{} ({})", task.node_name, task.node)),
        ("status", task.status.as_str().to_owned()),
    ];
    rows.extend(reason(task).map(|reason| ("why", reason)));
    rows.extend(task.job.map(|job| ("job", job.to_string())));
    rows.push(("submitted", format!("{} by {}", moment(now, task.submitted_at), task.submitted_by)));
    rows.extend(task.claimed_at.map(|at| ("handed out", moment(now, at))));
    rows.extend(task.finished_at.map(|at| ("ended", moment(now, at))));
    rows.push(("attempt", format!("{} of run {}", task.attempt, task.run)));
    rows.push(("retries", format!("{} of {}", task.retries, task.max_retries)));
    let until = task.lease_until.map(|at| format!(", until {}", moment(now, at))).unwrap_or_default();
    rows.push(("lease", format!("{}{until}", task.lease)));
    if task.priority != 0 {
        rows.push(("priority", task.priority.to_string()));
    }
    rows.extend(task.not_before.map(|at| ("not before", moment(now, at))));
    rows.extend(task.not_after.map(|at| ("not after", moment(now, at))));
    if task.cancel_asked {
        rows.push(("cancel", "asked for; the agent has not answered yet".to_owned()));
    }
    rows
}
