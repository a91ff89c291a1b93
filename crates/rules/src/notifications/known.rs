//! The rules that every org has from the start, so that one which adds a recipient and nothing else is told at once.

use std::sync::LazyLock;

use super::channel::Tier;
use super::rule::{NotificationRule, Tells};
use crate::alarms::Severity;

static KNOWN: LazyLock<[NotificationRule; 2]> = LazyLock::new(|| {
    [of("operators", Tier::Operator, Severity::Warning), of("customers", Tier::Customer, Severity::Critical)]
});

fn of(name: &str, tier: Tier, severity_min: Severity) -> NotificationRule {
    NotificationRule {
        name: name.to_owned(),
        severity_min,
        rules: Vec::new(),
        nodes: None,
        audience: Some(tier),
        recipients: Vec::new(),
        channels: Vec::new(),
        tells: Tells::BeginningsAndEnds,
        cool_down_s: None,
        locale: None,
        template: None,
    }
}

/// Operators are told what is worth a look today, customers what needs one now. An org may say otherwise.
pub fn known_rules() -> &'static [NotificationRule] {
    &*KNOWN
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tier_has_a_rule() {
        assert!(known_rules().iter().all(|rule| rule.check().is_ok()));
        let tiers: Vec<_> = known_rules().iter().filter_map(|rule| rule.audience).collect();
        assert_eq!(tiers, [Tier::Operator, Tier::Customer]);
    }
}
