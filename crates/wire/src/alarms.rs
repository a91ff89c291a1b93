//! Alarms, and the rules by which they are judged, as people read and write them.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use sortie_rules::alarms::Severity;
use sortie_rules::ids::{AlarmId, NodeId};
use sortie_rules::time::Millis;

/// Something that is wrong, or was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Alarm {
    /// Identifies it.
    pub id: AlarmId,
    /// The rule that raised it.
    pub rule: String,
    /// How much it matters.
    pub severity: Severity,
    /// Where it stands.
    pub state: AlarmState,
    /// The node that it is about, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<NodeId>,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_name: Option<String>,
    /// What it is about beside its node, for example a task type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// What is wrong, as a sentence.
    pub summary: String,
    /// Since when it is so.
    pub began_at: Millis,
    /// When it was last said to be so.
    pub seen_at: Millis,
    /// How often it was said to be so.
    pub seen: u32,
    /// When time alone changes it: one that is pending opens, one that is open is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Millis>,
    /// Since when it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened_at: Option<Millis>,
    /// Since when it is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_at: Option<Millis>,
    /// Until when nobody is told of it, because its node is in maintenance; of one that is not over only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maintenance_until: Option<Millis>,
    /// What began it: the event, or the field of the report.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub data: Value,
}

/// Where an alarm stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum AlarmState {
    /// It is so, but not for long enough yet; nobody is told.
    Pending,
    /// It stands.
    Open,
    /// It is over.
    Resolved,
}

impl AlarmState {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            AlarmState::Pending => "pending",
            AlarmState::Open => "open",
            AlarmState::Resolved => "resolved",
        }
    }
}

/// The query of `GET /api/v1/alarms`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct AlarmQuery {
    /// Only those that stand so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<AlarmState>,
    /// Only those of this severity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// Only those about this node, by name or id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// Only those of this rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<AlarmId>,
    /// Rows in the page, at most 1,000; 100 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// A rule by which alarms are judged, and who says so.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AlarmRuleInUse {
    /// Its name.
    pub name: String,
    /// Where it comes from; of one that is switched off, where it would.
    pub origin: AlarmRuleOrigin,
    /// The pack that has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pack: Option<String>,
    /// Whether the org has switched it off.
    pub off: bool,
    /// The rule, as it stands in a pack; absent if it is switched off and nobody has it any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub rule: Option<Value>,
    /// Who said so, where the org did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_by: Option<String>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_at: Option<Millis>,
}

/// Where a rule comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum AlarmRuleOrigin {
    /// Every hub has it.
    Hub,
    /// A pack has it.
    Pack,
    /// The org has made it.
    Org,
}

/// The body of `PUT /api/v1/alarm-rules/{name}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PutAlarmRule {
    /// The rule, with the same fields as in a pack; `null` switches off the one of this name.
    #[serde(deserialize_with = "rule_or_null")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>, required = true))]
    pub rule: Option<Value>,
}

/// Nothing is not `null`: whoever forgets the rule has not switched it off.
fn rule_or_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Option::<Value>::deserialize(deserializer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_rule_is_switched_off_by_null_and_not_by_silence() {
        let read = |body: Value| serde_json::from_value::<PutAlarmRule>(body);
        assert_eq!(read(json!({ "rule": null })).unwrap().rule, None);
        assert!(read(json!({})).is_err());
        assert!(read(json!({ "rule": { "name": "a" } })).unwrap().rule.is_some());
    }
}
