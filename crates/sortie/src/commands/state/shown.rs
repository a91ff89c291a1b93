//! How layers, publications and conditions look.

use serde_json::Value;
use sortie_rules::desired::{Condition, ConditionStatus, LayerName, PublicationStatus, Standing};
use sortie_rules::time::Millis;
use sortie_wire::desired::{EnforcedResource, Publication, PublicationCounts};

use crate::output::{Colours, Table, ago, moment};

/// A state as people read and write it. What a terminal would obey is written as JSON can say it, which is as good to
/// whoever reads it back.
pub(super) fn pretty(state: &Value) -> String {
    let text = serde_json::to_string_pretty(state).unwrap_or_else(|_| state.to_string());
    let mut escaped = String::with_capacity(text.len() + 1);
    for letter in text.chars() {
        if letter.is_control() && letter != '\n' {
            // Outside of texts JSON has no other; within them all below U+0020 are escaped already.
            escaped.push_str(&format!("\\u{:04x}", u32::from(letter)));
        } else {
            escaped.push(letter);
        }
    }
    escaped.push('\n');
    escaped
}

/// Of which layer a publication is.
pub(super) fn layer_of(publication: &Publication) -> LayerName {
    let of = publication.of_name.as_ref().or(publication.of.as_ref());
    LayerName { layer: publication.layer, of: of.cloned().unwrap_or_default() }
}

/// How a publication fares, as rows of details.
pub(super) fn rows(publication: &Publication, now: Millis) -> Vec<(&'static str, String)> {
    let mut rows = vec![
        ("publication", publication.id.to_string()),
        ("layer", layer_of(publication).to_string()),
        ("revision", publication.revision.to_string()),
        ("status", publication.status.as_str().to_owned()),
        ("message", publication.message.clone()),
        ("published", format!("{} by {}", moment(now, publication.published_at), publication.published_by)),
        ("nodes", publication.nodes.to_string()),
    ];
    if let Some(at_a_time) = publication.at_a_time {
        let stops = publication.stop_after_failures.unwrap_or(1);
        let back = if publication.rolls_back { ", then it is taken back" } else { "" };
        rows.push(("staged", format!("{at_a_time} at a time, {} each, until {stops} fail{back}", publication.within)));
    }
    rows.extend(publication.repeats.map(|repeats| ("repeats", format!("revision {repeats}"))));
    rows.extend(publication.counts.as_ref().map(|counts| ("so far", in_words(counts))));
    rows.extend(publication.finished_at.map(|at| ("over", moment(now, at))));
    rows
}

/// How many nodes stand where, leaving out what is none.
pub(super) fn in_words(counts: &PublicationCounts) -> String {
    let PublicationCounts { waiting, released, converged, failed, given, taken_back, skipped } = *counts;
    let words = [
        (converged, "converged"),
        (released, "on their way"),
        (given, "given"),
        (waiting, "waiting"),
        (failed, "failed"),
        (taken_back, "taken back"),
        (skipped, "skipped"),
    ];
    let words: Vec<String> =
        words.into_iter().filter(|(many, _)| *many > 0).map(|(many, word)| format!("{many} {word}")).collect();
    if words.is_empty() { "no nodes".to_owned() } else { words.join(", ") }
}

/// The word for a publication's status in its tone.
pub(super) fn status(status: PublicationStatus, colours: Colours) -> String {
    let word = status.as_str().replace('_', " ");
    match status {
        PublicationStatus::Completed => colours.good(&word),
        PublicationStatus::Stopped | PublicationStatus::RolledBack => colours.bad(&word),
        PublicationStatus::RollingBack | PublicationStatus::Superseded => colours.fair(&word),
        PublicationStatus::Running => word,
    }
}

/// The word for a standing in its tone.
pub(super) fn standing(standing: Standing, colours: Colours) -> String {
    match standing {
        Standing::Converged => colours.good(standing.as_str()),
        Standing::Converging => standing.as_str().to_owned(),
        Standing::Drifted => colours.fair(standing.as_str()),
        Standing::Failing => colours.bad(standing.as_str()),
    }
}

/// Conditions as a table, the worst first.
pub(super) fn conditions(all: &[Condition], now: Millis) -> Table {
    let mut sorted: Vec<&Condition> = all.iter().collect();
    sorted.sort_by(|a, b| b.status.cmp(&a.status).then_with(|| a.resource.cmp(&b.resource)));
    let mut table = Table::new(["resource", "status", "since", "applied", "why"]);
    for condition in sorted {
        let why = match (&condition.message, &condition.reason) {
            (Some(message), _) => message.clone(),
            (None, Some(reason)) if condition.status != ConditionStatus::InOrder => reason.clone(),
            (None, _) => String::new(),
        };
        table.row([
            condition.resource.to_string(),
            condition.status.as_str().replace('_', " "),
            ago(now, condition.since),
            condition.applied_at.map(|at| ago(now, at)).unwrap_or_default(),
            why,
        ]);
    }
    table
}

/// What the hub itself enforces, as a table, the worst first.
pub(super) fn enforced(all: &[EnforcedResource], now: Millis) -> Table {
    let mut sorted: Vec<&EnforcedResource> = all.iter().collect();
    sorted.sort_by(|a, b| {
        let order = b.condition.status.cmp(&a.condition.status);
        order.then_with(|| (&a.condition.resource, &a.zone).cmp(&(&b.condition.resource, &b.zone)))
    });
    let mut table = Table::new(["enforced by the hub", "status", "next try", "since", "applied", "zone", "why"]);
    for one in sorted {
        let condition = &one.condition;
        let why = condition.message.clone().or_else(|| condition.reason.clone()).unwrap_or_default();
        let next_try = one.next_try_at.filter(|_| condition.status == ConditionStatus::Failed);
        let status = condition.status.as_str().replace('_', " ");
        table.row([
            condition.resource.to_string(),
            if one.is_leaving { format!("leaving, {status}") } else { status },
            next_try.map(|at| if at > now { ago(now, at) } else { "now".to_owned() }).unwrap_or_default(),
            ago(now, condition.since),
            condition.applied_at.map(|at| ago(now, at)).unwrap_or_default(),
            one.zone.clone().unwrap_or_default(),
            why,
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::Colours;
    use serde_json::json;
    use sortie_rules::time::Span;

    #[test]
    fn no_terminal_obeys_a_state_and_it_is_read_back_as_it_was() {
        let state = json!({"\u{1b}]0;x\u{7}": "a\u{9b}2J\u{7f}\n"});
        let text = pretty(&state);
        assert!(!text.contains(|letter: char| letter.is_control() && letter != '\n'), "{text:?}");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), state);
    }

    #[test]
    fn what_the_hub_could_not_enforce_is_shown_with_its_next_try() {
        let now = Millis(1_000_000_000);
        let one = |status: ConditionStatus| EnforcedResource {
            condition: Condition {
                resource: "geo.rules/main".parse().unwrap(),
                status,
                reason: Some("edge_away".to_owned()),
                message: Some("it cannot be reached".to_owned()),
                since: now,
                applied_at: None,
                actual: None,
            },
            zone: None,
            is_leaving: false,
            failures: 1,
            next_try_at: Some(now + Span::minutes(4)),
        };
        let shown = |status| enforced(&[one(status)], now).lines(Colours::new(false, None, None), None)[1].clone();
        let failed = shown(ConditionStatus::Failed);
        assert!(failed.contains(" in 4 min ") && failed.ends_with("it cannot be reached"), "{failed}");
        assert!(!shown(ConditionStatus::InOrder).contains("in 4 min"), "it is only looked at then");
    }
}
