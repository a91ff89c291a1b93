//! What a dispatch is about, as templates, webhooks and the hub's own words see it. It is the same with each try.

use serde_json::{Value, json};
use sortie_rules::limits::DISPATCH_ALARMS_MAX;
use sortie_rules::notifications::{Locale, NotificationRule, Recipient, Tier};
use sortie_rules::time::Millis;
use sortie_store::dispatches::DispatchRow;
use sortie_store::notifications::{self, Tally, Told};
use sortie_store::{StoreError, Tx, notification_rules};

use super::audience::in_use;
use super::zone::Zone;
use crate::moments::rfc3339;

/// What a dispatch is about.
#[derive(Debug, Clone)]
pub(super) struct Matter {
    /// To whom it goes.
    pub(super) recipient: Recipient,
    /// In which zone times are told.
    pub(super) zone: Zone,
    /// The rule that tells all of it, if one does.
    pub(super) rule: Option<NotificationRule>,
    /// How much there is of each.
    pub(super) tally: Vec<Tally>,
    /// The first of it.
    pub(super) first: Vec<Told>,
    /// Whether it tells of nothing.
    pub(super) is_test: bool,
    made_at: Millis,
}

impl Matter {
    /// Reads it.
    pub(super) async fn read(tx: &mut Tx, row: &DispatchRow, recipient: Recipient) -> Result<Matter, StoreError> {
        let tally = notifications::tally(tx, row.id).await?;
        let first = notifications::first_of(tx, row.id, DISPATCH_ALARMS_MAX).await?;
        let mut names: Vec<&str> = tally.iter().map(|one| one.rule.as_str()).collect();
        names.dedup();
        let rule = match names[..] {
            [name] => in_use(&notification_rules::list(tx, row.org).await?).into_iter().find(|rule| rule.name == name),
            _ => None,
        };
        let zone = Zone::of(recipient.time_zone.as_deref());
        Ok(Matter { recipient, zone, rule, tally, first, is_test: row.is_test, made_at: row.created_at })
    }

    /// How many notifications there are.
    pub(super) fn count(&self) -> u64 {
        self.tally.iter().map(|one| one.count).sum()
    }

    /// How many of them tell of beginnings, or of ends.
    pub(super) fn count_of(&self, opened: bool) -> u64 {
        self.tally.iter().filter(|one| one.opened == opened).map(|one| one.count).sum()
    }

    /// The one that there is, if there is no other.
    pub(super) fn only(&self) -> Option<&Told> {
        if self.count() == 1 { self.first.first() } else { None }
    }

    /// In which language it is told.
    pub(super) fn locale(&self) -> Locale {
        let said = self.rule.as_ref().and_then(|rule| rule.locale);
        match self.recipient.audience {
            Tier::Operator => Locale::En,
            Tier::Customer => said.unwrap_or(self.recipient.speaks()),
        }
    }

    /// As templates see it.
    pub(super) fn to_json(&self, hub_url: &str) -> Value {
        let alarms: Vec<Value> = self.first.iter().map(|told| self.alarm(told, |at| self.zone.write(at))).collect();
        json!({
            "count": self.count(), "opened": self.count_of(true) > 0, "alarms": alarms,
            "recipient": self.recipient.name, "hub_url": hub_url,
        })
    }

    /// As webhooks get it.
    pub(super) fn to_webhook(&self) -> String {
        let recipient = &self.recipient.name;
        let (kind, at, data) = match (self.is_test, self.only()) {
            (true, _) => ("notification.test", self.made_at, json!({ "recipient": recipient })),
            (false, Some(told)) => {
                let kind = if told.tells.opened { "alarm.opened" } else { "alarm.resolved" };
                (kind, told.tells.at, json!({ "recipient": recipient, "alarm": self.alarm(told, rfc3339) }))
            }
            (false, None) => {
                let alarms: Vec<Value> = self.first.iter().map(|told| self.alarm(told, rfc3339)).collect();
                let (opened, resolved) = (self.count_of(true), self.count_of(false));
                let data = json!({
                    "recipient": recipient, "count": self.count(), "opened": opened, "resolved": resolved,
                    "alarms": alarms,
                });
                ("alarms.digest", self.made_at, data)
            }
        };
        json!({ "type": kind, "timestamp": rfc3339(at), "data": data }).to_string()
    }

    fn alarm(&self, told: &Told, moment: impl Fn(Millis) -> String) -> Value {
        let tells = &told.tells;
        // When one is over that begins here would be another word with another try.
        let resolved_at = if tells.opened { None } else { Some(told.resolved_at.unwrap_or(tells.at)) };
        let data: Value = told.data.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        json!({
            "id": tells.alarm, "rule": tells.alarm_rule, "severity": tells.severity.as_str(), "summary": tells.summary,
            "node": tells.node_name, "node_id": tells.node, "site": tells.site, "subject": tells.subject,
            "opened": tells.opened, "began_at": moment(told.began_at.unwrap_or(tells.at)),
            "resolved_at": resolved_at.map(moment), "data": data,
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use sortie_rules::alarms::Severity;
    use sortie_rules::ids::Id;
    use sortie_store::notifications::Tells;

    /// So many notifications of alarms by this rule, as a recipient gets them.
    pub(in crate::notifications) fn matter(recipient: Value, alarm_rule: &str, opened: bool, count: u64) -> Matter {
        let recipient: Recipient = serde_json::from_value(recipient).unwrap();
        let told = |number: u64| Told {
            tells: Tells {
                event: number,
                alarm: Id::from_uuid(uuid::Uuid::from_u128(7)),
                alarm_rule: alarm_rule.into(),
                severity: Severity::Critical,
                node: None,
                node_name: Some(format!("box-{number}")),
                site: Some("homes".into()),
                subject: String::new(),
                summary: "It is so.".into(),
                opened,
                at: Millis(1_784_116_800_000),
            },
            began_at: Some(Millis(1_784_116_740_000)),
            resolved_at: None,
            data: Some("{\"value\":9}".into()),
        };
        let tally = Tally { rule: "operators".into(), opened, severity: Severity::Critical, count };
        Matter {
            zone: Zone::of(recipient.time_zone.as_deref()),
            recipient,
            rule: None,
            tally: vec![tally],
            first: (1..=count.min(DISPATCH_ALARMS_MAX.into())).map(told).collect(),
            is_test: false,
            made_at: Millis(1_784_116_801_000),
        }
    }

    fn on_call(count: u64) -> Matter {
        matter(json!({ "name": "on-call", "audience": "operator", "mail": "a@b.example" }), "node.down", true, count)
    }

    #[test]
    fn a_webhook_gets_one_alarm_or_how_many_there_are() {
        let read = |matter: &Matter| -> Value { serde_json::from_str(&matter.to_webhook()).unwrap() };
        let one = read(&on_call(1));
        assert_eq!((&one["type"], &one["timestamp"]), (&json!("alarm.opened"), &json!("2026-07-15T12:00:00Z")));
        let alarm = &one["data"]["alarm"];
        assert_eq!(
            (&alarm["node"], &alarm["resolved_at"], &alarm["data"]["value"]),
            (&json!("box-1"), &Value::Null, &json!(9))
        );
        let many = read(&on_call(60));
        assert_eq!((&many["type"], &many["data"]["count"]), (&json!("alarms.digest"), &json!(60)));
        assert_eq!(many["data"]["alarms"].as_array().map(Vec::len), Some(50));
        let test = read(&Matter { is_test: true, ..on_call(1) });
        assert_eq!((&test["type"], &test["data"]["recipient"]), (&json!("notification.test"), &json!("on-call")));
    }
}
