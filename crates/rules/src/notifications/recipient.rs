//! Who may be told: a person, a team's mailbox, a customer, somebody's service. What they prefer narrows what rules
//! tell them, and never widens it.

use serde::{Deserialize, Serialize};

use super::channel::{Channel, Locale, Tier};
use super::nodes::NodesMeant;
use super::rule::names_rule;
use crate::alarms::Severity;
use crate::limits::{COOL_DOWN_MAX, MAIL_ADDRESS_BYTES_MAX, NAMED_RULES_MAX, PERSON_BYTES_MAX, WEBHOOK_URL_BYTES_MAX};
use crate::names::check_name;
use crate::time::Span;

/// Who may be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipient {
    /// A name, unique in the org.
    pub name: String,
    /// For whom the words are meant.
    pub audience: Tier,
    /// In which language; operators are told in English whatever it says.
    #[serde(default)]
    pub locale: Locale,
    /// In which zone times are told, by its name in the IANA's table; UTC if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// The address for mails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mail: Option<String>,
    /// The address of a webhook.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook: Option<String>,
    /// Whose console it is: the principal, as events name it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
    /// Whose nodes it asks after; all of the org, and what is about none, if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nodes: Option<NodesMeant>,
    /// Alarms that matter less are not wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity_min: Option<Severity>,
    /// Alarms of these rules are not wanted; a name that ends with `.*` stands for all that begin so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mutes: Vec<String>,
    /// Only by these ways, of those that it has; all if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub channels: Vec<Channel>,
    /// For how long at least the same is not wanted again, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cool_down_s: Option<i64>,
    /// Nothing is wanted for now.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_off: bool,
}

impl Recipient {
    /// What is wrong with it, as a sentence without its full stop. Addresses are judged by whoever uses them.
    pub fn check(&self) -> Result<(), String> {
        check_name("recipient", &self.name).map_err(|error| error.to_string())?;
        let too_long = |what: &str, text: &Option<String>, most: usize| match text {
            Some(text) if text.is_empty() || text.len() > most || text.chars().any(char::is_control) => {
                Err(format!("`{what}` is one line of 1 to {most} bytes"))
            }
            _ => Ok(()),
        };
        too_long("mail", &self.mail, MAIL_ADDRESS_BYTES_MAX)?;
        too_long("webhook", &self.webhook, WEBHOOK_URL_BYTES_MAX)?;
        too_long("person", &self.person, PERSON_BYTES_MAX)?;
        if self.has().next().is_none() {
            return Err("nobody could reach it; say `mail`, `webhook` or `person`".to_owned());
        }
        if let Some(missing) = self.channels.iter().find(|channel| !self.has().any(|has| has == **channel)) {
            return Err(format!("`channels` names {}, of which it has no address", missing.as_str()));
        }
        if self.mutes.len() > NAMED_RULES_MAX {
            return Err(format!("`mutes` names at most {NAMED_RULES_MAX} rules"));
        }
        check_cool_down(self.cool_down_s)
    }

    /// By which ways it could be told.
    fn has(&self) -> impl Iterator<Item = Channel> {
        let has = [
            (Channel::Mail, self.mail.is_some()),
            (Channel::Webhook, self.webhook.is_some()),
            (Channel::Console, self.person.is_some()),
        ];
        has.into_iter().filter(|(_, has)| *has).map(|(channel, _)| channel)
    }

    /// By which ways it wants to be told.
    pub fn wants_by(&self) -> impl Iterator<Item = Channel> {
        self.has().filter(|channel| self.channels.is_empty() || self.channels.contains(channel))
    }

    /// Whether it wants to be told of alarms of this rule and severity at all.
    pub fn wants(&self, rule: &str, severity: Severity) -> bool {
        !self.is_off
            && self.severity_min.is_none_or(|least| severity >= least)
            && !self.mutes.iter().any(|name| names_rule(name, rule))
    }

    /// For how long at least the same is not wanted again.
    pub fn cool_down(&self) -> Span {
        self.cool_down_s.map_or(Span::ZERO, Span::seconds)
    }

    /// In which language it is told.
    pub fn speaks(&self) -> Locale {
        match self.audience {
            Tier::Operator => Locale::En,
            Tier::Customer => self.locale,
        }
    }
}

/// Whether a cool-down is one that can be.
pub(super) fn check_cool_down(seconds: Option<i64>) -> Result<(), String> {
    let most = COOL_DOWN_MAX.0 / 1000;
    match seconds {
        Some(seconds) if !(0..=most).contains(&seconds) => Err(format!("`cool_down_s` is from 0 to {most} seconds")),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn read(text: Value) -> Result<Recipient, String> {
        let recipient: Recipient = serde_json::from_value(text).map_err(|error| error.to_string())?;
        recipient.check().map(|()| recipient)
    }

    #[test]
    fn a_recipient_says_what_it_has_and_what_it_wants() {
        let text = json!({
            "name": "family-kovacs", "audience": "customer", "locale": "hu", "mail": "a@b.example", "person": "anna",
            "channels": ["mail"], "mutes": ["node.*"], "severity_min": "warning",
        });
        let recipient = read(text.clone()).unwrap();
        assert_eq!(recipient.wants_by().collect::<Vec<_>>(), [Channel::Mail]);
        assert!(recipient.wants("disk.full", Severity::Warning) && !recipient.wants("node.down", Severity::Critical));
        assert!(!recipient.wants("disk.full", Severity::Info));
        assert_eq!((recipient.speaks(), recipient.cool_down()), (Locale::Hu, Span::ZERO));
        assert_eq!(serde_json::to_value(&recipient).unwrap(), text, "it is written as it was read");
        let off = Recipient { is_off: true, audience: Tier::Operator, ..recipient };
        assert!(!off.wants("disk.full", Severity::Critical) && off.speaks() == Locale::En);
    }

    #[test]
    fn one_that_nobody_could_reach_is_none() {
        let good = json!({ "name": "noc", "audience": "operator", "mail": "noc@example.org" });
        assert!(read(good.clone()).is_ok());
        for (field, value, said) in [
            ("name", json!("A B"), "recipient"),
            ("mail", json!(null), "nobody could reach"),
            ("mail", json!("a\nb"), "one line"),
            ("channels", json!(["webhook"]), "names webhook"),
            ("channels", json!(["pager"]), "unknown variant"),
            ("audience", json!("boss"), "customer"),
            ("cool_down_s", json!(-1), "cool_down_s"),
            ("nodes", json!({}), "says nothing"),
            ("mutes", json!(vec!["x"; NAMED_RULES_MAX + 1]), "at most"),
            ("else", json!(1), "unknown field"),
        ] {
            let mut bad = good.clone();
            bad[field] = value;
            let error = read(bad).unwrap_err();
            assert!(error.contains(said), "{field}: {error}");
        }
    }
}
