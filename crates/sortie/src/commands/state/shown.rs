//! How layers, publications and conditions look.

use serde_json::Value;
use sortie_rules::desired::{Condition, ConditionStatus, LayerName, PublicationStatus, Standing};
use sortie_rules::time::Millis;
use sortie_wire::desired::{EnforcedResource, Publication, PublicationCounts};

use crate::output::{Colours, Table, ago, moment};

/// A state as people read and write it.
pub(super) fn pretty(state: &Value) -> String {
    let mut text = serde_json::to_string_pretty(state).unwrap_or_else(|_| state.to_string());
    text.push('\n');
    text
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
    let mut table = Table::new(["enforced by the hub", "status", "since", "applied", "zone", "why"]);
    for one in sorted {
        let condition = &one.condition;
        let why = condition.message.clone().or_else(|| condition.reason.clone()).unwrap_or_default();
        let status = condition.status.as_str().replace('_', " ");
        table.row([
            condition.resource.to_string(),
            if one.is_leaving { format!("leaving, {status}") } else { status },
            ago(now, condition.since),
            condition.applied_at.map(|at| ago(now, at)).unwrap_or_default(),
            one.zone.clone().unwrap_or_default(),
            why,
        ]);
    }
    table
}
