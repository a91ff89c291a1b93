//! Makes an org's own rules, switches rules off, and takes that back. What the former rule judged is over: the leader
//! ends it when it comes to the event that tells of the change.

use serde_json::{Value, json};
use sortie_rules::alarms::AlarmRule;
use sortie_rules::limits::{ALARM_RULE_BYTES_MAX, ALARM_RULES_MAX};
use sortie_rules::names::check_name;
use sortie_store::Tx;
use sortie_store::alarm_rules::{self, AlarmRuleRow};
use sortie_wire::alarms::{AlarmRuleInUse, PutAlarmRule};
use sortie_wire::problem::ProblemCode;

use super::list::of_row;
use super::page::RULES_CHANGED;
use super::rules::RuleSet;
use crate::app::Shared;
use crate::audit::{self, Act};
use crate::events::{self, Record};
use crate::fault::{Fault, refuse, refuse_at};
use crate::http::to_the_end;
use crate::people::Principal;

/// Makes a rule of the org's own, or switches one off.
pub(super) async fn put(
    app: &Shared,
    who: Principal,
    name: String,
    request: PutAlarmRule,
) -> Result<AlarmRuleInUse, Fault> {
    let invalid = |at: &str, why: &str| refuse_at(ProblemCode::FieldInvalid, at, format!("{why}."));
    check_name("alarm rule", &name).map_err(|error| invalid("/name", &error.to_string()))?;
    let plain = RuleSet::new(&app.alarms.rules.packs(), &[]);
    let rule = match request.rule {
        None if plain.get(&name).is_none() => {
            let detail = format!(
                "There is no alarm rule `{name}` that could be switched off; one that you have made is \
                                  removed."
            );
            return Err(refuse(ProblemCode::UnknownAlarmRule, detail));
        }
        None => None,
        Some(given) => Some(read(given, &name).map_err(|why| invalid("/rule", &why))?),
    };
    let rule = rule.map(|rule| serde_json::to_string(&rule).expect("a rule is plain data"));
    if rule.as_ref().is_some_and(|text| text.len() > ALARM_RULE_BYTES_MAX) {
        return Err(invalid("/rule", &format!("a rule has at most {ALARM_RULE_BYTES_MAX} bytes of JSON")));
    }
    let (org, now) = (who.org, app.clock.now());
    let row = AlarmRuleRow { org, name, rule, changed_by: who.name.to_string(), changed_at: now };
    change(app, who, move |tx, who| {
        Box::pin(async move {
            let before = alarm_rules::get(tx, org, &row.name).await?;
            if let Some(same) = before.filter(|before| before.rule == row.rule) {
                return Ok(same);
            }
            let own = alarm_rules::list(tx, org).await?;
            if own.len() >= ALARM_RULES_MAX && !own.iter().any(|one| one.name == row.name) {
                let detail =
                    format!("An org says something of at most {ALARM_RULES_MAX} alarm rules; remove one first.");
                return Err(refuse(ProblemCode::FieldInvalid, detail));
            }
            alarm_rules::put(tx, &row).await?;
            tell(tx, who, &row, false).await?;
            Ok(row)
        })
    })
    .await
    .map(|row| of_row(&row, &plain))
}

/// Takes back what the org says of a rule. Returns what that was.
pub(super) async fn remove(app: &Shared, who: Principal, name: String) -> Result<AlarmRuleInUse, Fault> {
    let plain = RuleSet::new(&app.alarms.rules.packs(), &[]);
    let (org, now) = (who.org, app.clock.now());
    change(app, who, move |tx, who| {
        Box::pin(async move {
            let unknown = || {
                let given: String = name.chars().take(80).collect();
                let detail =
                    format!("Your org says nothing of an alarm rule `{given}`; `sortie alarm rules` shows them.");
                refuse(ProblemCode::UnknownAlarmRule, detail)
            };
            let row = alarm_rules::get(tx, org, &name).await?.ok_or_else(unknown)?;
            alarm_rules::delete(tx, org, &name).await?;
            tell(tx, who, &AlarmRuleRow { changed_at: now, changed_by: who.name.to_string(), ..row.clone() }, true)
                .await?;
            Ok(row)
        })
    })
    .await
    .map(|row| of_row(&row, &plain))
}

/// A rule as it was given, under the name at which it shall stand.
fn read(mut given: Value, name: &str) -> Result<AlarmRule, String> {
    if let Some(fields) = given.as_object_mut() {
        fields.entry("name").or_insert_with(|| json!(name));
    }
    let rule: AlarmRule = serde_json::from_value(given).map_err(|error| error.to_string())?;
    match rule.name == name {
        true => Ok(rule),
        false => Err(format!("it calls itself `{}`, and it shall stand under `{name}`", rule.name)),
    }
}

async fn change<V>(app: &Shared, who: Principal, verb: V) -> Result<AlarmRuleRow, Fault>
where
    V: for<'t> FnOnce(&'t mut Tx, &'t Principal) -> sortie_store::BoxFuture<'t, Result<AlarmRuleRow, Fault>>
        + Clone
        + Send
        + 'static,
{
    let app = app.clone();
    // A caller that hangs up must not leave in memory what is no longer in the store.
    to_the_end(async move {
        let org = who.org;
        let written = app.store.write(move |tx| Box::pin(async move { verb(tx, &who).await })).await;
        // Even if it is not known whether the change stands.
        app.alarms.rules.evict(org);
        written
    })
    .await
}

/// Writes down that what an org says of a rule has changed: to this, or, `removed`, from this to nothing.
async fn tell(tx: &mut Tx, who: &Principal, row: &AlarmRuleRow, removed: bool) -> Result<(), Fault> {
    let is_off = !removed && row.rule.is_none();
    let data = json!({ "rule": row.name, "off": is_off, "removed": removed });
    events::record(tx, Record::new(row.org, row.changed_at, RULES_CHANGED, &row.changed_by).data(&data)).await?;
    let rule: Value = row.rule.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let act = Act::by(who, row.changed_at)?.on("alarm_rule", &row.name);
    let changes = json!({ "off": is_off, "removed": removed, "rule": rule });
    audit::record(tx, act.changes(changes)).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_stands_under_its_own_name() {
        let rule = json!({ "severity": "info", "summary": "x", "begins": [{ "kind": "a" }], "lasts_s": 60 });
        assert_eq!(read(rule.clone(), "own").unwrap().name, "own");
        let mut named = rule.clone();
        named["name"] = json!("other");
        assert!(read(named, "own").unwrap_err().contains("calls itself `other`"));
        assert!(read(json!([]), "own").is_err());
        assert!(read(json!({ "severity": "info", "summary": "x" }), "own").unwrap_err().contains("nothing begins it"));
    }
}
