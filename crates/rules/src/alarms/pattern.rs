//! Which events, and which facts, a rule is about.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An event as rules see it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Happened<'a> {
    /// What happened, for example `task.failed`.
    pub kind: &'a str,
    /// What else belongs to it.
    pub data: &'a Value,
}

/// Which events are meant: those of a kind whose data say all of this.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventPattern {
    /// The kind, for example `task.failed`.
    pub kind: String,
    /// What must stand at which places of the event's data, by JSON pointer.
    #[serde(default, rename = "where", skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, Value>,
}

impl EventPattern {
    /// Events of this kind, whatever their data say.
    pub fn of(kind: &str) -> EventPattern {
        EventPattern { kind: kind.to_owned(), fields: BTreeMap::new() }
    }

    /// Whether this event is meant.
    pub fn matches(&self, event: Happened<'_>) -> bool {
        self.kind == event.kind && self.fields.iter().all(|(at, value)| event.data.pointer(at) == Some(value))
    }
}

/// What a field of the newest report of a kind is compared with. All that is said must hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FactTest {
    /// The kind of report, for example `facts`.
    pub kind: String,
    /// Where in the facts, by JSON pointer.
    pub field: String,
    /// It is a number above this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub above: Option<f64>,
    /// It is a number below this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub below: Option<f64>,
    /// It is this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is: Option<Value>,
    /// It is there, and is not this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_not: Option<Value>,
}

impl FactTest {
    /// Whether anything is compared at all.
    pub fn compares(&self) -> bool {
        self.above.is_some() || self.below.is_some() || self.is.is_some() || self.is_not.is_some()
    }

    /// Whether these facts are so. A field that is not there, or is no number where one is compared, is not so: what
    /// is not known raises no alarm.
    pub fn holds(&self, facts: &Value) -> bool {
        let Some(found) = facts.pointer(&self.field) else { return false };
        let number = found.as_f64();
        self.compares()
            && self.above.is_none_or(|limit| number.is_some_and(|number| number > limit))
            && self.below.is_none_or(|limit| number.is_some_and(|number| number < limit))
            && self.is.as_ref().is_none_or(|wanted| found == wanted)
            && self.is_not.as_ref().is_none_or(|unwanted| found != unwanted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_event_is_meant_by_its_kind_and_by_every_field_that_is_named() {
        let data = json!({ "type": "backup.run", "dead": true, "at": { "disk": "sda" } });
        let event = Happened { kind: "task.failed", data: &data };
        assert!(EventPattern::of("task.failed").matches(event));
        assert!(!EventPattern::of("task").matches(event));
        let with = |fields: Value| -> EventPattern {
            serde_json::from_value(json!({ "kind": "task.failed", "where": fields })).unwrap()
        };
        assert!(with(json!({ "/dead": true, "/at/disk": "sda" })).matches(event));
        assert!(!with(json!({ "/dead": true, "/at/disk": "sdb" })).matches(event));
        assert!(!with(json!({ "/nowhere": null })).matches(event));
    }

    #[test]
    fn facts_are_compared_and_what_is_not_known_is_not_so() {
        let facts = json!({ "disk": { "used_percent": 91 }, "raid": "degraded", "null": null });
        let test = |text: Value| serde_json::from_value::<FactTest>(text).unwrap().holds(&facts);
        let used = "/disk/used_percent";
        assert!(test(json!({ "kind": "facts", "field": used, "above": 90 })));
        assert!(!test(json!({ "kind": "facts", "field": used, "above": 91 })));
        assert!(test(json!({ "kind": "facts", "field": used, "below": 91.5 })));
        assert!(!test(json!({ "kind": "facts", "field": used, "above": 10, "below": 20 })));
        assert!(test(json!({ "kind": "facts", "field": "/raid", "is_not": "clean" })));
        assert!(test(json!({ "kind": "facts", "field": "/raid", "is": "degraded" })));
        assert!(!test(json!({ "kind": "facts", "field": "/raid", "above": 1 })));
        assert!(!test(json!({ "kind": "facts", "field": "/nowhere", "is_not": 1 })));
        assert!(!test(json!({ "kind": "facts", "field": used })), "what compares nothing is never so");
    }
}
