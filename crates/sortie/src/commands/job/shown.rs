//! How a job looks.

use sortie_rules::plain::plain;
use sortie_rules::time::Millis;
use sortie_wire::jobs::{Job, JobCounts, JobNode, Selector};

use crate::output::{Table, ago, moment};

/// Each sort of node, the last first, and how many there are; sorts without any are left out.
pub(super) fn counted(counts: &JobCounts) -> Vec<(&'static str, u32)> {
    let JobCounts { waiting, pending, in_progress, completed, failed, rejected, cancelled, expired, skipped } = *counts;
    let all = [
        ("completed", completed),
        ("failed", failed),
        ("rejected", rejected),
        ("cancelled", cancelled),
        ("expired", expired),
        ("skipped", skipped),
        ("in progress", in_progress),
        ("pending", pending),
        ("waiting", waiting),
    ];
    all.into_iter().filter(|(_, many)| *many > 0).collect()
}

/// The same in a line.
pub(super) fn in_words(counts: &JobCounts) -> String {
    let words: Vec<String> = counted(counts).into_iter().map(|(word, many)| format!("{many} {word}")).collect();
    words.join(", ")
}

/// How many nodes have come to their end.
pub(super) fn ended(counts: &JobCounts) -> u32 {
    counts.completed + counts.failed + counts.rejected + counts.cancelled + counts.expired + counts.skipped
}

/// A selector as it might have been typed.
pub(super) fn selector(selector: &Selector) -> String {
    let mut parts: Vec<String> = selector.label.iter().cloned().collect();
    parts.extend(selector.site.iter().map(|site| format!("site {site}")));
    parts.extend(selector.kind.iter().map(|kind| format!("kind {kind}")));
    if !selector.names.is_empty() {
        let mut names = selector.names.iter().take(5).cloned().collect::<Vec<_>>().join(",");
        if selector.names.len() > 5 {
            names += &format!(" and {} more", selector.names.len() - 5);
        }
        parts.push(names);
    }
    if selector.all {
        parts.push("all".to_owned());
    }
    parts.join(", ")
}

/// The lines of `sortie job show`, but for its table.
pub(super) fn rows(job: &Job, now: Millis) -> Vec<(&'static str, String)> {
    let mut rows = vec![
        ("id", job.id.to_string()),
        ("type", job.type_name.clone()),
        ("status", job.status.as_str().to_owned()),
        ("selector", selector(&job.selector)),
        ("nodes", job.nodes.to_string()),
    ];
    rows.extend(job.counts.as_ref().map(|counts| ("of them", in_words(counts))));
    rows.extend(job.at_a_time.map(|most| ("at a time", most.to_string())));
    rows.extend(job.stop_after_failures.map(|most| ("stops after", format!("{most} failed"))));
    rows.extend(job.stop_after_percent.map(|share| ("stops after", format!("{share}% failed"))));
    rows.push(("submitted", format!("{} by {}", moment(now, job.submitted_at), job.submitted_by)));
    rows.extend(job.not_after.map(|at| ("not after", moment(now, at))));
    rows.extend(job.finished_at.map(|at| ("ended", moment(now, at))));
    rows
}

/// Nodes and how each fares.
pub(super) fn table(nodes: &[JobNode], now: Millis) -> Table {
    let mut table = Table::new(["node", "status", "task", "ended", "why"]);
    for node in nodes {
        let message = node.message.as_deref().map(plain);
        let why = match (&node.code, message) {
            (Some(code), Some(message)) => format!("{code}: {message}"),
            (Some(code), None) => code.to_string(),
            (None, message) => message.unwrap_or_default(),
        };
        table.row([
            node.node_name.clone(),
            node.status.clone(),
            node.task.map(|task| task.to_string()).unwrap_or_default(),
            node.finished_at.map(|at| ago(now, at)).unwrap_or_default(),
            why,
        ]);
    }
    table
}
