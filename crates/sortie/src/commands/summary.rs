//! `sortie summary`: how the org fares, in numbers.

use clap::Args;
use sortie_rules::desired::Standing;
use sortie_rules::limits::SUMMARY_COUNTED_MAX;
use sortie_wire::summary::{JobUnderWay, NodeNumbers, Summary, TaskNumbers};

use crate::context::Context;
use crate::exit::Done;
use crate::find_hub::HubOptions;
use crate::output::{Table, ago, details, moment};

/// What `sortie summary` takes.
#[derive(Debug, Args)]
#[command(after_help = "Example: sortie summary")]
pub(crate) struct SummaryCommand {
    #[command(flatten)]
    hub: HubOptions,
}

/// Asks the hub and prints its answer.
pub(crate) async fn run(command: SummaryCommand, context: &Context) -> Done {
    let (summary, output) = (context.hub(&command.hub)?.summary().await?, context.output);
    output.either(&summary, |summary| {
        if summary.outdated {
            output.say(&format!(
                "These numbers are from {}: the hub could not count anew, its database is away or slow.",
                ago(context.clock.now(), summary.as_of)
            ));
        }
        output.lines(details(&rows(summary, context), output.colours()))?;
        let standings: Vec<&str> = summary.nodes.iter().flat_map(not_in_order).map(|(_, word)| word).collect();
        if !standings.is_empty() {
            let next = context.next_command(&format!("node list --standing {}", standings.join(",")));
            output.say(&format!("These nodes are not what they should be: {next}"));
        }
        let Some(jobs) = summary.jobs.as_ref().filter(|jobs| !jobs.newest.is_empty()) else { return Ok(()) };
        output.line("")?;
        output.table(&table(&jobs.newest))?;
        let rest = jobs.open.saturating_sub(jobs.newest.len() as u64);
        if rest > 0 {
            output.say(&format!("{rest} more are open: `sortie job list`."));
        }
        Ok(())
    })
}

fn rows(summary: &Summary, context: &Context) -> Vec<(&'static str, String)> {
    let mut rows = Vec::new();
    if let Some(nodes) = &summary.nodes {
        rows.push(("nodes", there(nodes)));
        rows.push(("desired", desired(nodes)));
        rows.push(("clocks", format!("{} off", nodes.clock_skewed)));
        rows.push(("keys", format!("{} behind", up_to(nodes.keys_lagging, SUMMARY_COUNTED_MAX))));
    }
    if let Some(tasks) = &summary.tasks {
        let number = |number| up_to(number, tasks.counted_to);
        let (pending, in_progress) = (number(tasks.pending), number(tasks.in_progress));
        rows.push(("tasks", format!("{pending} pending, {in_progress} in progress, {} dead", number(tasks.dead))));
        rows.push(("last day", ended(tasks)));
    }
    if let Some(jobs) = &summary.jobs {
        rows.push(("jobs", format!("{} open", jobs.open)));
    }
    if let Some(operations) = &summary.operations {
        rows.push(("operations", format!("{} awaiting signatures", operations.awaiting_signature)));
    }
    if let Some(outbox) = &summary.outbox {
        let since = outbox.oldest_at.map(|at| format!(", the oldest {}", ago(context.clock.now(), at)));
        rows.push(("nats", format!("{} events behind{}", outbox.events, since.unwrap_or_default())));
    }
    if let Some(event) = summary.event {
        rows.push(("event", event.to_string()));
    }
    rows.push(("as of", moment(context.clock.now(), summary.as_of)));
    rows
}

fn there(nodes: &NodeNumbers) -> String {
    let exceptions = [
        (nodes.stale, "stale"),
        (nodes.down, "down"),
        (nodes.new, "never heard"),
        (nodes.quarantined, "quarantined"),
        (nodes.revoked, "revoked"),
    ];
    let mut text = format!("{}: {} online", nodes.all, nodes.online);
    for (number, word) in exceptions.into_iter().filter(|(number, _)| *number > 0) {
        text.push_str(&format!(", {number} {word}"));
    }
    text
}

/// How many nodes are not what they should be, the worst first.
fn not_in_order(nodes: &NodeNumbers) -> Vec<(u64, &'static str)> {
    let all = [
        (nodes.failing, Standing::Failing.as_str()),
        (nodes.drifted, Standing::Drifted.as_str()),
        (nodes.converging, Standing::Converging.as_str()),
    ];
    all.into_iter().filter(|(number, _)| *number > 0).collect()
}

fn desired(nodes: &NodeNumbers) -> String {
    let words: Vec<String> = not_in_order(nodes).iter().map(|(number, word)| format!("{number} {word}")).collect();
    if words.is_empty() { "0 not in order".to_owned() } else { words.join(", ") }
}

fn ended(tasks: &TaskNumbers) -> String {
    let ends = &tasks.ended;
    let others = [
        (ends.failed, "failed"),
        (ends.rejected, "rejected"),
        (ends.cancelled, "cancelled"),
        (ends.expired, "expired"),
    ];
    let mut text = format!("{} completed", up_to(ends.completed, tasks.counted_to));
    for (number, word) in others.into_iter().filter(|(number, _)| *number > 0) {
        text.push_str(&format!(", {} {word}", up_to(number, tasks.counted_to)));
    }
    text
}

/// A number that may stand for so many or more.
fn up_to(number: u64, counted_to: u64) -> String {
    if number >= counted_to { format!("{counted_to}+") } else { number.to_string() }
}

fn table(jobs: &[JobUnderWay]) -> Table {
    let mut table = Table::new(["job", "type", "status", "nodes", "to go", "done", "not done"]);
    for job in jobs {
        let counts = &job.counts;
        let to_go = counts.waiting + counts.pending + counts.in_progress;
        let not_done = counts.failed + counts.rejected + counts.cancelled + counts.expired + counts.skipped;
        table.row([
            job.id.to_string(),
            job.type_name.clone(),
            job.status.as_str().to_owned(),
            job.nodes.to_string(),
            to_go.to_string(),
            counts.completed.to_string(),
            not_done.to_string(),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_as_it_should_be_is_not_listed_and_a_limit_says_that_it_is_one() {
        let nodes = NodeNumbers {
            all: 9,
            online: 7,
            stale: 0,
            down: 2,
            new: 0,
            quarantined: 0,
            revoked: 0,
            clock_skewed: 0,
            keys_lagging: 0,
            converging: 0,
            drifted: 0,
            failing: 0,
        };
        assert_eq!(there(&nodes), "9: 7 online, 2 down");
        assert_eq!(desired(&nodes), "0 not in order");
        let nodes = NodeNumbers { failing: 2, converging: 1, ..nodes };
        assert_eq!(desired(&nodes), "2 failing, 1 converging");
        assert_eq!((up_to(9_999, 10_000), up_to(10_000, 10_000)), ("9999".to_owned(), "10000+".to_owned()));
    }
}
