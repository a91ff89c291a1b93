//! A rule: what raises an alarm, and what ends it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::pattern::{EventPattern, FactTest, Happened};
use super::severity::Severity;
use crate::limits::{ALARM_HOLD_MAX, ALARM_LAST_MAX, ALARM_PATTERNS_MAX, ALARM_SUMMARY_BYTES_MAX};
use crate::names::check_name;
use crate::time::Span;

/// How kinds of events begin that tell of alarms and their rules.
const OWN: [&str; 2] = ["alarm.", "alarm_rule."];

/// What raises an alarm, and what ends it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct AlarmRule {
    /// Its name, for example `node.down`.
    pub name: String,
    /// How much it matters.
    pub severity: Severity,
    /// What is wrong, as a sentence.
    pub summary: String,
    /// For how long it must be so before anybody is told.
    pub hold: Span,
    /// What it looks at.
    pub cause: Cause,
}

/// What a rule looks at.
#[derive(Debug, Clone, PartialEq)]
pub enum Cause {
    /// Something that happens.
    Events {
        /// One of these begins it.
        begins: Vec<EventPattern>,
        /// One of these ends it.
        ends: Vec<EventPattern>,
        /// It ends by itself when it has not begun again for so long.
        lasts: Option<Span>,
        /// Where the event's data say what it is about, beside its node, by JSON pointer: each has an alarm of its own.
        subject: Option<String>,
    },
    /// Something that the newest report says. Each subject of the report has an alarm of its own.
    Facts(FactTest),
}

/// What an event or a report means for a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// What the rule is about is so, of this.
    Begins(String),
    /// It is not so any more, of this.
    Ends(String),
}

/// Why a rule cannot be: a sentence without its full stop.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadRule(String);

/// A rule as it is written in a pack or by an org.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    severity: Severity,
    summary: String,
    #[serde(default, skip_serializing_if = "is_zero")]
    hold_s: i64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    begins: Vec<EventPattern>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    ends: Vec<EventPattern>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lasts_s: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    facts: Option<FactTest>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(number: &i64) -> bool {
    *number == 0
}

impl AlarmRule {
    /// What an event means for it. Subjects that the event does not name, or not by a text or number, are empty.
    pub fn judge_event(&self, event: Happened<'_>) -> Option<Verdict> {
        let Cause::Events { begins, ends, subject, .. } = &self.cause else { return None };
        let of = || {
            let found = subject.as_ref().and_then(|at| event.data.pointer(at));
            match found {
                Some(Value::String(text)) => text.clone(),
                Some(Value::Number(number)) => number.to_string(),
                _ => String::new(),
            }
        };
        if begins.iter().any(|pattern| pattern.matches(event)) {
            return Some(Verdict::Begins(of()));
        }
        ends.iter().any(|pattern| pattern.matches(event)).then(|| Verdict::Ends(of()))
    }

    /// What a node's newest report of a kind and subject means for it.
    pub fn judge_facts(&self, kind: &str, subject: &str, facts: &Value) -> Option<Verdict> {
        let Cause::Facts(test) = &self.cause else { return None };
        let of = subject.to_owned();
        (test.kind == kind).then(|| if test.holds(facts) { Verdict::Begins(of) } else { Verdict::Ends(of) })
    }

    /// How long an alarm of it stands that does not begin again; nothing: until something ends it.
    pub fn lasts(&self) -> Option<Span> {
        match &self.cause {
            Cause::Events { lasts, .. } => *lasts,
            Cause::Facts(_) => None,
        }
    }

    /// The kind of reports that it looks at, if it does.
    pub fn report_kind(&self) -> Option<&str> {
        match &self.cause {
            Cause::Facts(test) => Some(&test.kind),
            Cause::Events { .. } => None,
        }
    }

    /// The kinds of events that mean anything for it.
    pub fn event_kinds(&self) -> impl Iterator<Item = &str> {
        let patterns: &[&[EventPattern]] = match &self.cause {
            Cause::Events { begins, ends, .. } => &[begins, ends],
            Cause::Facts(_) => &[],
        };
        patterns
            .iter()
            .flat_map(|some| some.iter())
            .map(|pattern| pattern.kind.as_str())
            .collect::<Vec<_>>()
            .into_iter()
    }
}

impl TryFrom<Written> for AlarmRule {
    type Error = BadRule;

    fn try_from(written: Written) -> Result<AlarmRule, BadRule> {
        let Written { name, severity, summary, hold_s, begins, ends, lasts_s, subject, facts } = written;
        let bad = |why: String| BadRule(format!("alarm rule `{name}`: {why}"));
        check_name("alarm rule", &name).map_err(|error| BadRule(error.to_string()))?;
        if summary.is_empty() || summary.len() > ALARM_SUMMARY_BYTES_MAX || summary.chars().any(char::is_control) {
            return Err(bad(format!("a summary is one line of 1 to {ALARM_SUMMARY_BYTES_MAX} bytes")));
        }
        let span = |what: &str, seconds: i64, least: i64, most: Span| match seconds {
            seconds if (least..=most.0 / 1000).contains(&seconds) => Ok(Span::seconds(seconds)),
            _ => Err(bad(format!("{what} is from {least} to {} seconds", most.0 / 1000))),
        };
        let hold = span("hold_s", hold_s, 0, ALARM_HOLD_MAX)?;
        let lasts = lasts_s.map(|seconds| span("lasts_s", seconds, 1, ALARM_LAST_MAX)).transpose()?;
        for pattern in begins.iter().chain(&ends) {
            let kind = &pattern.kind;
            if kind.is_empty() || kind.chars().any(|c| c.is_control() || c.is_whitespace()) {
                return Err(bad(format!("`{}` is no kind of event", kind.escape_debug())));
            }
            if OWN.iter().any(|own| kind.starts_with(own)) {
                return Err(bad(format!("`{kind}` tells of alarms themselves, which mean nothing for alarms")));
            }
        }
        let pointers = begins.iter().chain(&ends).flat_map(|pattern| pattern.fields.keys());
        let pointers = pointers.chain(&subject).chain(facts.as_ref().map(|test| &test.field));
        for pointer in pointers {
            if !pointer.is_empty() && !pointer.starts_with('/') {
                return Err(bad(format!("`{pointer}` is no JSON pointer: it would begin with `/`")));
            }
        }
        let cause = match facts {
            Some(_) if !(begins.is_empty() && ends.is_empty() && lasts.is_none() && subject.is_none()) => {
                return Err(bad(
                    "it looks at `facts` or at events (`begins`, `ends`, `lasts_s`, `subject`), not both".into()
                ));
            }
            Some(test) if !test.compares() => {
                return Err(bad("`facts` compares nothing; say `above`, `below`, `is` or `is_not`".into()));
            }
            Some(test) => Cause::Facts(test),
            None if begins.is_empty() => return Err(bad("nothing begins it; say `begins` or `facts`".into())),
            None if begins.len() + ends.len() > ALARM_PATTERNS_MAX => {
                return Err(bad(format!("it names more than {ALARM_PATTERNS_MAX} patterns of events")));
            }
            None if ends.is_empty() && lasts.is_none() => {
                return Err(bad("nothing ends it; say `ends` or `lasts_s`".into()));
            }
            None => Cause::Events { begins, ends, lasts, subject },
        };
        Ok(AlarmRule { name, severity, summary, hold, cause })
    }
}

impl From<AlarmRule> for Written {
    fn from(rule: AlarmRule) -> Written {
        let AlarmRule { name, severity, summary, hold, cause } = rule;
        let (begins, ends, lasts, subject, facts) = match cause {
            Cause::Events { begins, ends, lasts, subject } => (begins, ends, lasts, subject, None),
            Cause::Facts(test) => (Vec::new(), Vec::new(), None, None, Some(test)),
        };
        let (hold_s, lasts_s) = (hold.0 / 1000, lasts.map(|span| span.0 / 1000));
        Written { name, severity, summary, hold_s, begins, ends, lasts_s, subject, facts }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rule(text: Value) -> Result<AlarmRule, String> {
        serde_json::from_value(text).map_err(|error| error.to_string())
    }

    #[test]
    fn events_begin_and_end_an_alarm_of_each_subject() {
        let text = json!({
            "name": "backup.failing", "severity": "critical", "summary": "A backup failed.", "subject": "/target",
            "begins": [{"kind": "backup.failed"}, {"kind": "task.failed", "where": {"/type": "backup.run"}}],
            "ends": [{"kind": "backup.completed"}],
        });
        let rule = rule(text.clone()).unwrap();
        let judge = |kind: &str, data: Value| rule.judge_event(Happened { kind, data: &data });
        assert_eq!(judge("backup.failed", json!({"target": "nas"})), Some(Verdict::Begins("nas".into())));
        assert_eq!(judge("backup.completed", json!({"target": 7})), Some(Verdict::Ends("7".into())));
        assert_eq!(judge("task.failed", json!({"type": "backup.run"})), Some(Verdict::Begins(String::new())));
        assert_eq!(judge("task.failed", json!({"type": "sleep"})), None);
        assert_eq!(rule.judge_facts("backup", "nas", &json!({})), None);
        assert_eq!(rule.event_kinds().collect::<Vec<_>>(), ["backup.failed", "task.failed", "backup.completed"]);
        assert_eq!(serde_json::to_value(&rule).unwrap(), text, "it is written as it was read");
    }

    #[test]
    fn facts_begin_and_end_an_alarm_of_each_subject() {
        let rule = rule(json!({
            "name": "disk.full", "severity": "warning", "summary": "A disk is nearly full.", "hold_s": 300,
            "facts": {"kind": "disks", "field": "/used_percent", "above": 90},
        }));
        let rule = rule.unwrap();
        let judge = |kind: &str, used: i64| rule.judge_facts(kind, "sda", &json!({"used_percent": used}));
        assert_eq!(judge("disks", 91), Some(Verdict::Begins("sda".into())));
        assert_eq!(judge("disks", 90), Some(Verdict::Ends("sda".into())));
        assert_eq!(judge("facts", 91), None);
        assert_eq!((rule.hold, rule.lasts()), (Span::minutes(5), None));
        assert_eq!(rule.event_kinds().count(), 0);
    }

    #[test]
    fn what_can_never_be_raised_or_never_ends_is_no_rule() {
        let good = json!({"name": "a.b", "severity": "info", "summary": "x", "begins": [{"kind": "k"}], "lasts_s": 60});
        assert!(rule(good.clone()).is_ok());
        let facts = json!({"kind": "disks", "field": "/x", "above": 1});
        for (field, value, said) in [
            ("name", json!("A B"), "alarm rule"),
            ("severity", json!("high"), "critical"),
            ("summary", json!(""), "one line"),
            ("summary", json!("a\nb"), "one line"),
            ("hold_s", json!(-1), "hold_s"),
            ("hold_s", json!(i64::MAX), "hold_s"),
            ("lasts_s", json!(0), "lasts_s"),
            ("lasts_s", json!(null), "nothing ends it"),
            ("begins", json!([]), "nothing begins it"),
            ("begins", json!(vec![json!({"kind": "k"}); 17]), "16 patterns"),
            ("begins", json!([{"kind": "k", "where": {"x": 1}}]), "JSON pointer"),
            ("begins", json!([{"kind": ""}]), "no kind of event"),
            ("begins", json!([{"kind": "a b"}]), "no kind of event"),
            ("begins", json!([{"kind": "alarm.opened"}]), "tells of alarms themselves"),
            ("ends", json!([{"kind": "alarm_rule.changed"}]), "tells of alarms themselves"),
            ("subject", json!("target"), "JSON pointer"),
            ("facts", facts.clone(), "not both"),
            ("else", json!(1), "unknown field"),
        ] {
            let mut bad = good.clone();
            bad[field] = value;
            let error = rule(bad).unwrap_err();
            assert!(error.contains(said), "{field}: {error}");
        }
        let nothing = json!({"name": "a", "severity": "info", "summary": "x", "facts": {"kind": "k", "field": "/x"}});
        assert!(rule(nothing).unwrap_err().contains("compares nothing"));
    }
}
