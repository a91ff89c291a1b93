//! Shows who is told of what by rule, makes an org's own rules, switches rules off, and takes that back.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sortie_rules::limits::NOTIFICATION_RULES_MAX;
use sortie_rules::notifications::{NotificationRule, known_rules};
use sortie_store::notification_rules::{self, NotificationRuleRow};
use sortie_store::{StoreError, Tx};
use sortie_wire::notifications::{NotificationRuleInUse, NotificationRuleOrigin, PutNotificationRule};
use sortie_wire::pages::Page;
use sortie_wire::problem::ProblemCode;

use crate::app::App;
use crate::audit::{self, Act};
use crate::events::{self, Record};
use crate::fault::{Fault, refuse, refuse_at};
use crate::outgoing::engine;
use crate::people::Principal;

/// Every rule, and those that are switched off, by name. All of them fit into one page.
pub(super) async fn list(app: &App, who: &Principal) -> Result<Page<NotificationRuleInUse>, Fault> {
    let org = who.org;
    let rows = app.store.read(move |tx| Box::pin(async move { notification_rules::list(tx, org).await })).await?;
    let mut all: BTreeMap<String, NotificationRuleInUse> =
        known_rules().iter().map(|rule| (rule.name.clone(), of_hub(rule))).collect();
    for row in rows {
        all.insert(row.name.clone(), of_row(&row));
    }
    Ok(Page { items: all.into_values().collect(), next: None })
}

/// Makes a rule of the org's own, or switches one off.
pub(super) async fn put(
    app: &App,
    who: &Principal,
    name: String,
    request: PutNotificationRule,
) -> Result<NotificationRuleInUse, Fault> {
    let rule = match request.rule {
        None if known(&name).is_none() => {
            let detail = format!(
                "There is no notification rule `{name}` that could be switched off; one that you have made is removed."
            );
            return Err(refuse(ProblemCode::UnknownNotificationRule, detail));
        }
        None => None,
        Some(given) => {
            let rule = read(given, &name);
            Some(rule.map_err(|why| refuse_at(ProblemCode::FieldInvalid, "/rule", format!("{why}.")))?)
        }
    };
    let rule = rule.map(|rule| serde_json::to_string(&rule).expect("a rule is plain data"));
    let (org, by, now) = (who.org, who.name.to_string(), app.clock.now());
    let act = Act::by(who, now)?.on("notification_rule", &name);
    app.store
        .write_checked(move |tx| {
            Box::pin(async move {
                let own = notification_rules::list(tx, org).await?;
                if own.len() >= NOTIFICATION_RULES_MAX && !own.iter().any(|one| one.name == name) {
                    let detail = format!(
                        "An org says something of at most {NOTIFICATION_RULES_MAX} notification rules; remove one."
                    );
                    return Err(refuse(ProblemCode::FieldInvalid, detail));
                }
                let row = NotificationRuleRow { org, name, rule, changed_by: by, changed_at: now };
                notification_rules::put(tx, &row).await?;
                tell(tx, &row, false).await?;
                let rule = of_row(&row);
                let changes = json!({ "off": rule.off, "removed": false, "rule": rule.rule });
                audit::record(tx, act.changes(changes)).await?;
                Ok::<_, Fault>(rule)
            })
        })
        .await
}

/// Takes back what the org says of a rule. Returns what that was.
pub(super) async fn remove(app: &App, who: &Principal, name: String) -> Result<NotificationRuleInUse, Fault> {
    let (org, by, now) = (who.org, who.name.to_string(), app.clock.now());
    let act = Act::by(who, now)?.on("notification_rule", &name);
    app.store
        .write_checked(move |tx| {
            Box::pin(async move {
                let unknown = || {
                    let given: String = name.chars().take(80).collect();
                    let detail = format!(
                        "Your org says nothing of a notification rule `{given}`; see `sortie notification rules`."
                    );
                    refuse(ProblemCode::UnknownNotificationRule, detail)
                };
                let row = notification_rules::get(tx, org, &name).await?.ok_or_else(unknown)?;
                notification_rules::delete(tx, org, &name).await?;
                tell(tx, &NotificationRuleRow { changed_by: by, changed_at: now, ..row.clone() }, true).await?;
                audit::record(tx, act.changes(json!({ "removed": true }))).await?;
                Ok::<_, Fault>(of_row(&row))
            })
        })
        .await
}

fn known(name: &str) -> Option<&'static NotificationRule> {
    known_rules().iter().find(|rule| rule.name == name)
}

/// A rule as it was given, under the name at which it shall stand, with a template that can be read.
fn read(mut given: Value, name: &str) -> Result<NotificationRule, String> {
    if let Some(fields) = given.as_object_mut() {
        fields.entry("name").or_insert_with(|| json!(name));
    }
    let rule: NotificationRule = serde_json::from_value(given).map_err(|error| error.to_string())?;
    rule.check()?;
    if rule.name != name {
        return Err(format!("it calls itself `{}`, and it shall stand under `{name}`", rule.name));
    }
    if let Some(template) = &rule.template {
        for (what, text) in [("subject", &template.subject), ("text", &template.text)] {
            engine().template_from_str(text).map_err(|error| {
                let line = error.line().map(|line| format!(" in line {line}")).unwrap_or_default();
                format!("the template's {what} cannot be read{line}: {}", error.detail().unwrap_or("it is no template"))
            })?;
        }
    }
    Ok(rule)
}

fn of_hub(rule: &NotificationRule) -> NotificationRuleInUse {
    NotificationRuleInUse {
        name: rule.name.clone(),
        origin: NotificationRuleOrigin::Hub,
        off: false,
        rule: serde_json::to_value(rule).ok(),
        changed_by: None,
        changed_at: None,
    }
}

/// What an org says of a rule.
fn of_row(row: &NotificationRuleRow) -> NotificationRuleInUse {
    let own = row.rule.as_deref().and_then(|text| serde_json::from_str(text).ok());
    let (origin, rule) = match (own, known(&row.name)) {
        (None, Some(rule)) => (NotificationRuleOrigin::Hub, serde_json::to_value(rule).ok()),
        (own, _) => (NotificationRuleOrigin::Org, own),
    };
    NotificationRuleInUse {
        name: row.name.clone(),
        origin,
        off: row.rule.is_none(),
        rule,
        changed_by: Some(row.changed_by.clone()),
        changed_at: Some(row.changed_at),
    }
}

/// Writes down that what an org says of a rule has changed.
async fn tell(tx: &mut Tx, row: &NotificationRuleRow, removed: bool) -> Result<(), StoreError> {
    let is_off = !removed && row.rule.is_none();
    let data = json!({ "rule": row.name, "off": is_off, "removed": removed });
    let record = Record::new(row.org, row.changed_at, "notification_rule.changed", &row.changed_by);
    events::record(tx, record.data(&data)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_stands_under_its_own_name_with_a_template_that_can_be_read() {
        assert_eq!(read(json!({}), "own").unwrap().name, "own");
        assert!(read(json!({ "name": "other" }), "own").unwrap_err().contains("calls itself `other`"));
        let broken = json!({ "template": { "subject": "{{ count }}", "text": "a\n{% if %}" } });
        let error = read(broken, "own").unwrap_err();
        assert!(error.contains("template's text") && error.contains("line 2"), "{error}");
        assert!(read(json!([]), "own").is_err());
    }
}
