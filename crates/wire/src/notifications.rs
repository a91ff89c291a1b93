//! Who is told of alarms, and what became of it, as people read and write them.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use sortie_rules::alarms::Severity;
use sortie_rules::ids::{AlarmId, DispatchId, NodeId, NotificationId};
use sortie_rules::notifications::Channel;
use sortie_rules::time::Millis;

/// Somebody who may be told, and who said so.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RecipientInUse {
    /// Its name.
    pub name: String,
    /// Who it is and what it wants: `audience` (`operator` or `customer`), `locale`, `time_zone`, `mail`, `webhook`,
    /// `person`, `nodes`, `severity_min`, `mutes`, `channels`, `cool_down_s`, `is_off`.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub recipient: Value,
    /// With what calls of its webhook are signed: only in the answer to the request for which it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook_secret: Option<String>,
    /// Since when its webhook says that it wants nothing any more (410): it gets nothing until it is put anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook_gone_at: Option<Millis>,
    /// Who said so.
    pub changed_by: String,
    /// When.
    pub changed_at: Millis,
}

/// The body of `PUT /api/v1/recipients/{name}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PutRecipient {
    /// Who it is and what it wants.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub recipient: Value,
    /// With what calls of its webhook are signed: `whsec_` and 24 to 64 bytes in base64. If absent it keeps the one
    /// that it has; one is made for a webhook that has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook_secret: Option<String>,
}

/// The body of `POST /api/v1/recipients/{name}/test`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct TestRecipient {
    /// Only by this way; by each that it has, if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
}

/// What came of a test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TestOutcome {
    /// What was sent: its `Message-ID`, or `webhook-id`, has this id in it.
    pub dispatch: DispatchId,
    /// By which way.
    pub channel: Channel,
    /// `sent` or `failed`. A test is tried once.
    pub state: String,
    /// Why it failed, in a word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The same in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// A rule by which recipients are told, and who says so.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NotificationRuleInUse {
    /// Its name.
    pub name: String,
    /// Where it comes from; of one that is switched off, where it would.
    pub origin: NotificationRuleOrigin,
    /// Whether the org has switched it off.
    pub off: bool,
    /// The rule: `severity_min`, `rules`, `nodes`, `audience`, `recipients`, `channels`, `tells`, `cool_down_s`,
    /// `locale`, `template`.
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

/// Where a notification rule comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum NotificationRuleOrigin {
    /// Every hub has it.
    Hub,
    /// The org has made it.
    Org,
}

/// The body of `PUT /api/v1/notification-rules/{name}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PutNotificationRule {
    /// The rule; `null` switches off the one of this name that every hub has.
    #[serde(deserialize_with = "rule_or_null")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>, required = true))]
    pub rule: Option<Value>,
}

/// Nothing is not `null`: whoever forgets the rule has not switched it off.
fn rule_or_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Option::<Value>::deserialize(deserializer)
}

/// One alarm's beginning or end, for one recipient by one way, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Notification {
    /// Identifies it.
    pub id: NotificationId,
    /// Which alarm.
    pub alarm: AlarmId,
    /// The rule that raised it.
    pub alarm_rule: String,
    /// How much it matters.
    pub severity: Severity,
    /// Whether it began; else it is over.
    pub opened: bool,
    /// The node that it is about, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<NodeId>,
    /// What the node was called then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_name: Option<String>,
    /// What it is about beside its node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// What is wrong, as a sentence.
    pub summary: String,
    /// When it began, or was over.
    pub at: Millis,
    /// Who is told.
    pub recipient: String,
    /// By which way.
    pub channel: Channel,
    /// The notification rule that says so.
    pub rule: String,
    /// Where it stands.
    pub state: NotificationState,
    /// Why it is, or was, held back, or did not arrive, in a word; `template_failed`: it arrived in the hub's own
    /// words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// When what is held back is told after all, if the alarm still stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Millis>,
    /// With what it goes out: its `Message-ID`, or `webhook-id`, has this id in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dispatch: Option<DispatchId>,
    /// When it was made.
    pub created_at: Millis,
    /// When it arrived, or was given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Millis>,
}

/// Where a notification stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum NotificationState {
    /// It goes out as soon as it can.
    Waiting,
    /// It is held back.
    HeldBack,
    /// It arrived.
    Sent,
    /// The other side will never take it.
    Failed,
    /// It was tried for three days.
    GivenUp,
}

impl NotificationState {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            NotificationState::Waiting => "waiting",
            NotificationState::HeldBack => "held_back",
            NotificationState::Sent => "sent",
            NotificationState::Failed => "failed",
            NotificationState::GivenUp => "given_up",
        }
    }
}

/// The query of `GET /api/v1/notifications`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct NotificationQuery {
    /// Only those that stand so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<NotificationState>,
    /// Only those for this recipient.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipient: Option<String>,
    /// Only those by this way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
    /// Only those of this alarm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alarm: Option<AlarmId>,
    /// The `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<NotificationId>,
    /// Rows in the page, at most 1,000; 100 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// What stands in somebody's own console: one notification, or many at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MyNotification {
    /// Identifies it.
    pub id: DispatchId,
    /// How many notifications it is made of; 0: a test.
    pub count: u64,
    /// The line by which it is told from others.
    pub title: String,
    /// The text.
    pub text: String,
    /// When it came.
    pub created_at: Millis,
    /// When it was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_at: Option<Millis>,
}

/// The query of `GET /api/v1/me/notifications`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct MyNotificationQuery {
    /// Only what was not read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread: Option<bool>,
    /// The `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<DispatchId>,
    /// Rows in the page, at most 1,000; 100 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// The body of `POST /api/v1/me/notifications/read`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ReadUntil {
    /// This one and all that came before it.
    pub until: DispatchId,
}

/// How much was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Unread {
    /// How many.
    pub unread: u64,
}

/// What is said over `/ws/notifications`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// How many were not read.
    pub unread: u64,
    /// The one that came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notification: Option<MyNotification>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_rule_is_switched_off_by_null_and_not_by_silence() {
        let read = |body: Value| serde_json::from_value::<PutNotificationRule>(body);
        assert_eq!(read(json!({ "rule": null })).unwrap().rule, None);
        assert!(read(json!({})).is_err());
    }
}
