//! Who is told of which alarms, and how.

use serde::{Deserialize, Serialize};

use super::channel::{Channel, Locale, Tier};
use super::nodes::NodesMeant;
use super::recipient::{Recipient, check_cool_down};
use crate::alarms::Severity;
use crate::limits::{NAMED_RECIPIENTS_MAX, NAMED_RULES_MAX, NOTIFICATION_TEMPLATE_BYTES_MAX};
use crate::names::check_name;
use crate::time::Span;

/// What of an alarm is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tells {
    /// That it began.
    Beginnings,
    /// That it began, and that it is over.
    #[default]
    BeginningsAndEnds,
}

/// Words of one's own, as a template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Template {
    /// The line by which it is told from others.
    pub subject: String,
    /// The text.
    pub text: String,
}

/// Who is told of which alarms. What is left out does not narrow it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NotificationRule {
    /// Its name.
    pub name: String,
    /// Alarms that matter less are not told.
    #[serde(default = "least")]
    pub severity_min: Severity,
    /// Only alarms of these rules; a name that ends with `.*` stands for all that begin so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<String>,
    /// Only alarms of these nodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nodes: Option<NodesMeant>,
    /// Only recipients of this tier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audience: Option<Tier>,
    /// Only recipients of these names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recipients: Vec<String>,
    /// Only by these ways.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub channels: Vec<Channel>,
    /// What of an alarm is told.
    #[serde(default)]
    pub tells: Tells,
    /// For how long the same is not told again, in seconds; what is usual for the recipient's tier if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cool_down_s: Option<i64>,
    /// In which language customers are told; each in their own if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<Locale>,
    /// In which words; in the hub's own if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<Template>,
}

fn least() -> Severity {
    Severity::Info
}

/// Whether a rule of alarms is named: by its own name, or by one that ends with `.*` and stands for all that begin so.
pub fn names_rule(name: &str, rule: &str) -> bool {
    match name.strip_suffix(".*") {
        Some(begins) => rule.strip_prefix(begins).is_some_and(|rest| rest.starts_with('.')),
        None => name == rule,
    }
}

impl NotificationRule {
    /// What is wrong with it, as a sentence without its full stop. Whether the template can be read, whoever fills it
    /// in says.
    pub fn check(&self) -> Result<(), String> {
        check_name("notification rule", &self.name).map_err(|error| error.to_string())?;
        if self.rules.len() > NAMED_RULES_MAX || self.recipients.len() > NAMED_RECIPIENTS_MAX {
            return Err(format!(
                "it names at most {NAMED_RULES_MAX} rules of alarms and {NAMED_RECIPIENTS_MAX} recipients"
            ));
        }
        let bytes = self.template.as_ref().map_or(0, |template| template.subject.len() + template.text.len());
        if bytes > NOTIFICATION_TEMPLATE_BYTES_MAX {
            return Err(format!("`template` has at most {NOTIFICATION_TEMPLATE_BYTES_MAX} bytes"));
        }
        check_cool_down(self.cool_down_s)
    }

    /// Whether alarms of this rule and severity are told, when they begin (`opened`) or end.
    pub fn tells(&self, rule: &str, severity: Severity, opened: bool) -> bool {
        severity >= self.severity_min
            && (opened || self.tells == Tells::BeginningsAndEnds)
            && (self.rules.is_empty() || self.rules.iter().any(|name| names_rule(name, rule)))
    }

    /// Whether this recipient is told.
    pub fn is_for(&self, recipient: &Recipient) -> bool {
        self.audience.is_none_or(|tier| recipient.audience == tier)
            && (self.recipients.is_empty() || self.recipients.contains(&recipient.name))
    }

    /// For how long the same is not told again to this recipient. What the recipient wants can only make it longer.
    pub fn cool_down(&self, recipient: &Recipient) -> Span {
        let own = self.cool_down_s.map_or(recipient.audience.cool_down(), Span::seconds);
        own.max(recipient.cool_down())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn read(text: Value) -> Result<NotificationRule, String> {
        let rule: NotificationRule = serde_json::from_value(text).map_err(|error| error.to_string())?;
        rule.check().map(|()| rule)
    }

    #[test]
    fn alarms_are_chosen_by_severity_rule_and_end() {
        let all = read(json!({ "name": "all", "severity_min": "warning" })).unwrap();
        assert!(all.tells("node.down", Severity::Critical, true) && all.tells("x", Severity::Warning, false));
        assert!(!all.tells("node.down", Severity::Info, true));
        let text = json!({
            "name": "nodes", "severity_min": "warning", "rules": ["node.*", "disk.full"], "tells": "beginnings",
        });
        let nodes = read(text.clone()).unwrap();
        for (rule, is_told) in [("node.down", true), ("node", false), ("nodes.x", false), ("disk.full", true)] {
            assert_eq!(nodes.tells(rule, Severity::Critical, true), is_told, "{rule}");
        }
        assert!(!nodes.tells("node.down", Severity::Critical, false));
        assert_eq!(serde_json::to_value(&nodes).unwrap(), text, "it is written as it was read");
    }

    #[test]
    fn a_recipient_makes_a_cool_down_longer_and_never_shorter() {
        let recipient = |seconds: Value| -> Recipient {
            let text = json!({ "name": "a", "audience": "operator", "mail": "a@b.example", "cool_down_s": seconds });
            serde_json::from_value(text).unwrap()
        };
        let (plain, own) = (read(json!({ "name": "a" })).unwrap(), read(json!({ "name": "a", "cool_down_s": 60 })));
        let own = own.unwrap();
        assert_eq!(plain.cool_down(&recipient(json!(null))), Span::hours(1));
        assert_eq!(own.cool_down(&recipient(json!(null))), Span::minutes(1));
        assert_eq!(own.cool_down(&recipient(json!(5))), Span::minutes(1));
        assert_eq!(own.cool_down(&recipient(json!(7200))), Span::hours(2));
    }

    #[test]
    fn what_is_out_of_form_is_no_rule() {
        for (text, said) in [
            (json!({ "name": "A B" }), "notification rule"),
            (json!({ "name": "a", "cool_down_s": -1 }), "cool_down_s"),
            (json!({ "name": "a", "rules": vec!["x"; NAMED_RULES_MAX + 1] }), "at most"),
            (
                json!({ "name": "a", "template": {
                    "subject": "", "text": "x".repeat(NOTIFICATION_TEMPLATE_BYTES_MAX + 1)
                } }),
                "bytes",
            ),
            (json!({ "name": "a", "else": 1 }), "unknown field"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(said), "{error}");
        }
    }
}
