//! Who an org tells of what: its recipients, the hub's rules, and what the org itself says of rules.

use std::collections::BTreeMap;

use sortie_rules::ids::OrgId;
use sortie_rules::limits::PAGE_MAX;
use sortie_rules::notifications::{Audience, NotificationRule, Recipient, known_rules};
use sortie_store::notification_rules::{self, NotificationRuleRow};
use sortie_store::recipients::{self, RecipientRow};
use sortie_store::{StoreError, Tx};

/// Reads it.
pub(super) async fn read(tx: &mut Tx, org: OrgId) -> Result<Audience, StoreError> {
    let mut found: Vec<Recipient> = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let rows = recipients::list(tx, org, after.as_deref(), PAGE_MAX).await?;
        let is_last = rows.len() < PAGE_MAX as usize;
        after = rows.last().map(|row| row.name.clone());
        found.extend(rows.iter().filter_map(reachable));
        if is_last {
            break;
        }
    }
    let rows = notification_rules::list(tx, org).await?;
    Ok(Audience::new(found, in_use(&rows)))
}

/// A recipient as it can be reached. One that cannot be read, since a newer hub wrote it, is none.
pub(super) fn reachable(row: &RecipientRow) -> Option<Recipient> {
    match serde_json::from_str::<Recipient>(&row.recipient) {
        Ok(recipient) => {
            let webhook = recipient.webhook.filter(|_| row.webhook_gone_at.is_none());
            Some(Recipient { webhook, ..recipient })
        }
        Err(error) => {
            tracing::warn!(org = %row.org, recipient = row.name, %error, "A recipient cannot be read; it is none");
            None
        }
    }
}

/// The rules of the hub, but for what these rows say.
pub(super) fn in_use(rows: &[NotificationRuleRow]) -> Vec<NotificationRule> {
    let known = known_rules().iter().map(|rule| (rule.name.clone(), rule.clone()));
    let mut by_name: BTreeMap<String, NotificationRule> = known.collect();
    for row in rows {
        by_name.remove(&row.name);
        match row.rule.as_deref().map(serde_json::from_str::<NotificationRule>) {
            None => {}
            Some(Ok(rule)) => drop(by_name.insert(row.name.clone(), rule)),
            Some(Err(error)) => {
                tracing::warn!(org = %row.org, rule = row.name, %error, "A rule cannot be read; it is none");
            }
        }
    }
    by_name.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use sortie_rules::ids::DEFAULT_ORG;
    use sortie_rules::time::Millis;

    fn row(name: &str, rule: Option<&str>) -> NotificationRuleRow {
        let rule = rule.map(str::to_owned);
        NotificationRuleRow {
            org: DEFAULT_ORG,
            name: name.into(),
            rule,
            changed_by: "ann".into(),
            changed_at: Millis(1),
        }
    }

    #[test]
    fn an_org_replaces_rules_and_switches_them_off() {
        let names =
            |rows: &[NotificationRuleRow]| -> Vec<String> { in_use(rows).into_iter().map(|rule| rule.name).collect() };
        assert_eq!(names(&[]), ["customers", "operators"]);
        let own = [row("operators", None), row("own", Some(r#"{"name":"own"}"#)), row("bad", Some("[]"))];
        assert_eq!(names(&own), ["customers", "own"]);
    }

    #[test]
    fn a_webhook_that_is_gone_is_no_way() {
        let recipient = r#"{"name":"a","audience":"operator","mail":"a@b.example","webhook":"https://b.example"}"#;
        let there = RecipientRow {
            org: DEFAULT_ORG,
            name: "a".into(),
            recipient: recipient.into(),
            secret: None,
            secret_version: 1,
            webhook_gone_at: None,
            changed_by: "ann".into(),
            changed_at: Millis(1),
        };
        assert_eq!(reachable(&there).unwrap().wants_by().count(), 2);
        let gone = RecipientRow { webhook_gone_at: Some(Millis(1)), ..there.clone() };
        assert_eq!(reachable(&gone).unwrap().wants_by().count(), 1);
        assert!(reachable(&RecipientRow { recipient: "{}".into(), ..there }).is_none());
    }
}
