//! Who is told of which alarms, and how.

use serde::{Deserialize, Serialize};

use crate::alarms::Severity;
use crate::time::Span;

/// By which way somebody is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// A mail.
    Mail,
    /// A request to somebody's own service.
    Webhook,
    /// The console.
    Console,
}

/// For whom the words are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// Those who run the fleet: in English, every detail (B-30).
    Operator,
    /// Those whose box it is: in their language, without what only operators understand (B-31).
    Customer,
}

impl Tier {
    /// For how long the same is not told again, if the rule does not say (B-30, B-31).
    pub const fn cool_down(self) -> Span {
        match self {
            Tier::Operator => Span::hours(1),
            Tier::Customer => Span::hours(6),
        }
    }
}

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

/// Who is told of which alarms. What is left out does not narrow it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotificationRule {
    /// Alarms that matter less are not told.
    pub severity_min: Severity,
    /// Only alarms of these rules; a name that ends with `.*` stands for all that begin so.
    pub rules: Vec<String>,
    /// What of an alarm is told.
    pub tells: Tells,
    /// For how long the same is not told again.
    pub cool_down: Span,
}

impl NotificationRule {
    /// Whether alarms of this rule and severity are told, when they begin (`opened`) or end.
    pub fn tells(&self, rule: &str, severity: Severity, opened: bool) -> bool {
        let is_named = |name: &String| match name.strip_suffix(".*") {
            Some(begins) => rule.strip_prefix(begins).is_some_and(|rest| rest.starts_with('.')),
            None => name == rule,
        };
        severity >= self.severity_min
            && (opened || self.tells == Tells::BeginningsAndEnds)
            && (self.rules.is_empty() || self.rules.iter().any(is_named))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alarms_are_chosen_by_severity_rule_and_end() {
        let named = |rules: &[&str], tells| NotificationRule {
            severity_min: Severity::Warning,
            rules: rules.iter().map(|&rule| rule.to_owned()).collect(),
            tells,
            cool_down: Tier::Operator.cool_down(),
        };
        let all = named(&[], Tells::BeginningsAndEnds);
        assert!(all.tells("node.down", Severity::Critical, true) && all.tells("x", Severity::Warning, false));
        assert!(!all.tells("node.down", Severity::Info, true));
        let nodes = named(&["node.*", "disk.full"], Tells::Beginnings);
        for (rule, is_told) in [("node.down", true), ("node", false), ("nodes.x", false), ("disk.full", true)] {
            assert_eq!(nodes.tells(rule, Severity::Critical, true), is_told, "{rule}");
        }
        assert!(!nodes.tells("node.down", Severity::Critical, false));
    }
}
