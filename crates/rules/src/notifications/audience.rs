//! Who is told of something, and by which ways: rules and recipients of one org, put together.

use std::collections::HashMap;

use super::channel::Channel;
use super::recipient::Recipient;
use super::rule::NotificationRule;
use crate::alarms::Severity;
use crate::selectors::Selected;
use crate::time::Span;

/// The beginning or the end of an alarm.
#[derive(Debug, Clone, Copy)]
pub struct Occasion<'a> {
    /// The alarm's rule.
    pub rule: &'a str,
    /// How much it matters.
    pub severity: Severity,
    /// Whether it begins.
    pub opened: bool,
    /// The node that it is about, if it is about one.
    pub node: Option<Selected<'a>>,
}

/// By which way somebody is told of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Way<'a> {
    /// The recipient's name.
    pub recipient: &'a str,
    /// By which way.
    pub channel: Channel,
    /// The name of the rule that says so.
    pub rule: &'a str,
    /// For how long the same is not told again.
    pub cool_down: Span,
}

/// The recipients and rules of one org. Of many recipients only those are looked at whose nodes may be meant.
#[derive(Debug, Clone, Default)]
pub struct Audience {
    recipients: Vec<Recipient>,
    rules: Vec<NotificationRule>,
    /// Those who ask after one node of few, by the node's name.
    by_name: HashMap<String, Vec<usize>>,
    /// Those who ask after a site, by its key.
    by_site: HashMap<String, Vec<usize>>,
    /// All others.
    of_any: Vec<usize>,
}

impl Audience {
    /// These.
    pub fn new(recipients: Vec<Recipient>, rules: Vec<NotificationRule>) -> Audience {
        let mut audience = Audience { recipients, rules, ..Audience::default() };
        for (at, recipient) in audience.recipients.iter().enumerate() {
            match &recipient.nodes {
                Some(nodes) if !nodes.names().is_empty() => {
                    for name in nodes.names() {
                        audience.by_name.entry(name.clone()).or_default().push(at);
                    }
                }
                Some(nodes) if nodes.site().is_some() => {
                    let site = nodes.site().unwrap_or_default().to_owned();
                    audience.by_site.entry(site).or_default().push(at);
                }
                _ => audience.of_any.push(at),
            }
        }
        audience
    }

    /// Whether nobody can be told of anything.
    pub fn is_empty(&self) -> bool {
        self.recipients.is_empty() || self.rules.is_empty()
    }

    /// The recipient of this name.
    pub fn recipient(&self, name: &str) -> Option<&Recipient> {
        self.recipients.iter().find(|recipient| recipient.name == name)
    }

    /// The rule of this name.
    pub fn rule(&self, name: &str) -> Option<&NotificationRule> {
        self.rules.iter().find(|rule| rule.name == name)
    }

    /// Whether this recipient still wants to be told of such a thing by this way, by a rule that says so still.
    pub fn still_tells(&self, recipient: &str, channel: Channel, rule: &str, of: Occasion<'_>) -> bool {
        let (Some(recipient), Some(rule)) = (self.recipient(recipient), self.rule(rule)) else { return false };
        recipient.wants(of.rule, of.severity)
            && recipient.wants_by().any(|way| way == channel)
            && rule.is_for(recipient)
            && rule.tells(of.rule, of.severity, of.opened)
            && (rule.channels.is_empty() || rule.channels.contains(&channel))
    }

    /// Who is told, and how: each by each way once, by the rule with the shortest cool-down.
    pub fn ways(&self, of: Occasion<'_>) -> Vec<Way<'_>> {
        let is_told = |rule: &&NotificationRule| {
            rule.tells(of.rule, of.severity, of.opened) && rule.nodes.as_ref().is_none_or(|nodes| nodes.mean(of.node))
        };
        let rules: Vec<&NotificationRule> = self.rules.iter().filter(is_told).collect();
        if rules.is_empty() {
            return Vec::new();
        }
        let named = of.node.and_then(|node| self.by_name.get(node.name)).into_iter().flatten();
        let at_site = of.node.and_then(|node| self.by_site.get(node.site?)).into_iter().flatten();
        let mut found: Vec<usize> = self.of_any.iter().chain(named).chain(at_site).copied().collect();
        found.sort_unstable();
        found.dedup();
        found.into_iter().flat_map(|at| ways_to(&self.recipients[at], &rules, of)).collect()
    }
}

fn ways_to<'a>(recipient: &'a Recipient, rules: &[&'a NotificationRule], of: Occasion<'_>) -> Vec<Way<'a>> {
    let asks_after = recipient.nodes.as_ref().is_none_or(|nodes| nodes.mean(of.node));
    if !asks_after || !recipient.wants(of.rule, of.severity) {
        return Vec::new();
    }
    let by = |channel: Channel| {
        let speaks = |rule: &&&NotificationRule| {
            rule.is_for(recipient) && (rule.channels.is_empty() || rule.channels.contains(&channel))
        };
        let strongest = rules.iter().filter(speaks).min_by_key(|rule| rule.cool_down(recipient))?;
        let cool_down = strongest.cool_down(recipient);
        Some(Way { recipient: &recipient.name, channel, rule: &strongest.name, cool_down })
    };
    recipient.wants_by().filter_map(by).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::notifications::known_rules;
    use serde_json::{Value, json};

    fn audience(recipients: Value, rules: Value) -> Audience {
        let mut all = known_rules().to_vec();
        all.extend(serde_json::from_value::<Vec<NotificationRule>>(rules).unwrap());
        Audience::new(serde_json::from_value(recipients).unwrap(), all)
    }

    fn told(audience: &Audience, node: Option<&str>, rule: &str, severity: Severity) -> Vec<String> {
        let labels = BTreeMap::new();
        let node = node.map(|name| Selected { name, site: Some("homes"), kind: "host", labels: &labels });
        let ways = audience.ways(Occasion { rule, severity, opened: true, node });
        ways.iter().map(|way| format!("{}/{}/{}", way.recipient, way.channel.as_str(), way.rule)).collect()
    }

    #[test]
    fn a_recipient_and_nothing_else_is_told() {
        let recipients = json!([
            { "name": "noc", "audience": "operator", "mail": "noc@example.org", "webhook": "https://example.org" },
            { "name": "kovacs", "audience": "customer", "mail": "k@example.org", "nodes": { "names": ["box-1"] } },
            { "name": "homes", "audience": "customer", "mail": "h@example.org", "nodes": { "site": "homes" } },
            { "name": "trusts", "audience": "customer", "mail": "t@example.org", "nodes": { "site": "trusts" } },
        ]);
        let all = audience(recipients, json!([]));
        let noc = ["noc/mail/operators", "noc/webhook/operators"];
        let critical = |node| told(&all, node, "node.down", Severity::Critical);
        assert_eq!(critical(Some("box-1")), [&noc[..], &["kovacs/mail/customers", "homes/mail/customers"]].concat());
        assert_eq!(critical(Some("box-2")), [&noc[..], &["homes/mail/customers"]].concat());
        assert_eq!(critical(None), noc);
        assert_eq!(told(&all, Some("box-1"), "node.stale", Severity::Warning), noc);
        assert_eq!(told(&all, Some("box-1"), "x", Severity::Info), [] as [&str; 0]);
    }

    #[test]
    fn who_was_told_is_told_on_as_long_as_nobody_says_otherwise() {
        let recipient = json!({ "name": "noc", "audience": "operator", "mail": "noc@example.org" });
        let with = |field: &str, value: Value| {
            let mut changed = recipient.clone();
            changed[field] = value;
            audience(json!([changed]), json!([{ "name": "first", "tells": "beginnings" }]))
        };
        let of = |opened| Occasion { rule: "node.down", severity: Severity::Critical, opened, node: None };
        let told = |all: &Audience, rule: &str| all.still_tells("noc", Channel::Mail, rule, of(false));
        assert!(told(&with("name", json!("noc")), "operators"));
        assert!(told(&with("nodes", json!({ "site": "elsewhere" })), "operators"), "wherever the node is by now");
        for (field, value) in [
            ("name", json!("other")),
            ("mail", json!(null)),
            ("is_off", json!(true)),
            ("mutes", json!(["node.*"])),
            ("audience", json!("customer")),
        ] {
            assert!(!told(&with(field, value), "operators"), "{field}");
        }
        let all = with("name", json!("noc"));
        assert!(!told(&all, "first") && all.still_tells("noc", Channel::Mail, "first", of(true)));
        assert!(!told(&all, "gone") && !all.still_tells("noc", Channel::Webhook, "operators", of(true)));
    }

    #[test]
    fn of_several_rules_the_strongest_tells_once() {
        let recipients = json!([{ "name": "noc", "audience": "operator", "mail": "noc@example.org" }]);
        let rules = json!([
            { "name": "disks", "rules": ["disk.*"], "cool_down_s": 60 },
            { "name": "hooks", "channels": ["webhook"], "cool_down_s": 1 },
            { "name": "others", "recipients": ["somebody"], "cool_down_s": 1 },
            { "name": "elsewhere", "nodes": { "site": "trusts" }, "cool_down_s": 1 },
        ]);
        let all = audience(recipients, rules);
        assert_eq!(told(&all, Some("a"), "disk.full", Severity::Warning), ["noc/mail/disks"]);
        assert_eq!(told(&all, Some("a"), "node.down", Severity::Warning), ["noc/mail/operators"]);
        assert!(!all.is_empty() && all.recipient("noc").is_some() && all.rule("disks").is_some());
        assert!(Audience::default().is_empty());
    }
}
