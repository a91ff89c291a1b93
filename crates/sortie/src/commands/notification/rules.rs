//! `sortie notification rules` and `sortie notification rule`.

use serde_json::Value;
use sortie_client::people::Hub;
use sortie_wire::notifications::{NotificationRuleInUse, NotificationRuleOrigin, PutNotificationRule};

use super::noun::RuleVerb;
use crate::commands::written::read_object;
use crate::context::Context;
use crate::exit::Done;
use crate::output::Table;

/// Lists the rules.
pub(super) async fn list(hub: &Hub, context: &Context) -> Done {
    let (page, output) = (hub.notification_rules().await?, context.output);
    output.either(&page, |page| {
        let mut table =
            Table::new(["name", "from", "state", "severity from", "alarms", "audience", "recipients", "by"]);
        for rule in &page.items {
            table.row([
                rule.name.clone(),
                from(rule).to_owned(),
                if rule.off { "off" } else { "on" }.to_owned(),
                field(rule, "severity_min"),
                field(rule, "rules"),
                field(rule, "audience"),
                field(rule, "recipients"),
                field(rule, "channels"),
            ]);
        }
        output.table(&table)
    })
}

fn from(rule: &NotificationRuleInUse) -> &'static str {
    match rule.origin {
        NotificationRuleOrigin::Hub => "the hub",
        NotificationRuleOrigin::Org => "your org",
    }
}

/// A field in words; all, if it does not narrow anything.
fn field(rule: &NotificationRuleInUse, name: &str) -> String {
    match rule.rule.as_ref().map(|rule| &rule[name]) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(list)) => {
            let words: Vec<&str> = list.iter().filter_map(Value::as_str).collect();
            words.join(", ")
        }
        _ => "all".to_owned(),
    }
}

/// Makes one, switches one off, or takes that back.
pub(super) async fn change(verb: RuleVerb, hub: &Hub, context: &Context) -> Done {
    let output = context.output;
    let (changed, said) = match verb {
        RuleVerb::Set { file } => {
            let (name, rule) = read_object(&file, "rule")?;
            let rule = hub.set_notification_rule(&name, &PutNotificationRule { rule: Some(rule) }).await?;
            (rule, format!("The notification rule `{name}` holds from now on."))
        }
        RuleVerb::Off { name } => {
            let rule = hub.set_notification_rule(&name, &PutNotificationRule { rule: None }).await?;
            let back = format!("`sortie notification rule remove {name}` takes that back");
            (rule, format!("The notification rule `{name}` is off; {back}."))
        }
        RuleVerb::Remove { name } => {
            let rule = hub.remove_notification_rule(&name).await?;
            (rule, format!("Your org says nothing of the notification rule `{name}` any more."))
        }
    };
    output.either(&changed, |_| {
        output.say(&said);
        Ok(())
    })
}
