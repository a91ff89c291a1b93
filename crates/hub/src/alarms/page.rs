//! What a page of events means for alarms.

use std::sync::Arc;

use serde_json::{Value, json};
use sortie_rules::alarms::{Happened, Seen, Verdict};
use sortie_rules::ids::OrgId;
use sortie_rules::limits::{ALARM_SUBJECT_BYTES_MAX, ALARMS_AT_ONCE};
use sortie_rules::time::Millis;
use sortie_store::alarms::AlarmKey;
use sortie_store::events::EventRow;

use super::rules::Judge;
use super::sheet::{Act, kept};
use crate::app::App;
use crate::fault::Fault;

/// The event that says that an org's rules are others now.
pub(super) const RULES_CHANGED: &str = "alarm_rule.changed";
/// Alarms tell of themselves by events of this noun, which mean nothing for alarms.
const OWN: &str = "alarm.";

/// What some events mean.
#[derive(Debug)]
pub(super) struct Meaning {
    pub(super) acts: Arc<Vec<Act>>,
    /// The last event that was looked at.
    pub(super) until: u64,
    /// The org whose rules are others after it: no event after that one was looked at.
    pub(super) changed: Option<OrgId>,
}

/// What these events mean, up to as many as one transaction can hold.
pub(super) async fn read(app: &App, rows: &[EventRow], now: Millis) -> Result<Option<Meaning>, Fault> {
    let Some(first) = rows.first() else { return Ok(None) };
    let (mut acts, mut until, mut changed) = (Vec::new(), first.number, None);
    for row in rows {
        if acts.len() >= ALARMS_AT_ONCE as usize {
            break;
        }
        until = row.number;
        if row.kind == RULES_CHANGED {
            app.alarms.rules.evict(row.org);
            changed = Some(row.org);
            break;
        }
        if row.kind.starts_with(OWN) {
            continue;
        }
        if let (Some(node), "node.revoked") = (row.node, row.kind.as_str()) {
            acts.push(Act::NodeGone { node, at: row.at });
            continue;
        }
        let rules = app.alarms.rules.of(&app.store, row.org).await?;
        let judges = rules.of_event(&row.kind);
        if judges.is_empty() {
            continue;
        }
        let data: Value = serde_json::from_str(&row.data).unwrap_or_default();
        let mut of_event: Vec<Act> = judges.iter().filter_map(|judge| judged(app, row, &data, judge, now)).collect();
        // What it ends is told before what it begins: a node is stale no more, but down.
        of_event.sort_by_key(Act::is_beginning);
        acts.extend(of_event);
    }
    Ok(Some(Meaning { acts: Arc::new(acts), until, changed }))
}

fn judged(app: &App, row: &EventRow, data: &Value, judge: &Arc<Judge>, now: Millis) -> Option<Act> {
    let (seen, subject) = match judge.rule.judge_event(Happened { kind: &row.kind, data })? {
        Verdict::Begins(subject) => (Seen::Begins, subject),
        Verdict::Ends(subject) => (Seen::Ends, subject),
    };
    let mut about = json!({ "event": row.number, "kind": row.kind, "data": data });
    if let Some(task) = row.task {
        about["task"] = json!(task);
    }
    let (rule, subject) = (judge.rule.name.clone(), keepable(&subject));
    Some(Act::Seen {
        key: AlarmKey { org: row.org, rule, node: row.node, subject },
        judge: Arc::clone(judge),
        seen,
        at: row.at,
        id: app.entropy.id(now),
        data: if seen == Seen::Begins { kept(about, "data") } else { String::new() },
    })
}

/// A subject as it is kept: cut where it is too long, and without control characters.
pub(super) fn keepable(subject: &str) -> String {
    let clean = subject.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c });
    let mut text: String = clean.collect();
    let end = (0..=ALARM_SUBJECT_BYTES_MAX.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
    text.truncate(end.unwrap_or(0));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_are_short_and_plain() {
        assert_eq!(keepable("nas-1"), "nas-1");
        assert_eq!(keepable("a\0b\n"), "a\u{FFFD}b\u{FFFD}");
        let long = "ű".repeat(ALARM_SUBJECT_BYTES_MAX);
        assert_eq!(keepable(&long).len(), ALARM_SUBJECT_BYTES_MAX - 1);
    }
}
