//! `sortie alarm rules` and `sortie alarm rule`.

use sortie_client::people::Hub;
use sortie_wire::alarms::{AlarmRuleInUse, AlarmRuleOrigin, PutAlarmRule};

use super::noun::RuleVerb;
use crate::commands::written::read_object;
use crate::context::Context;
use crate::exit::Done;
use crate::output::Table;

/// Lists the rules.
pub(super) async fn list(hub: &Hub, context: &Context) -> Done {
    let (page, output) = (hub.alarm_rules().await?, context.output);
    output.either(&page, |page| {
        let mut table = Table::new(["name", "severity", "from", "state", "summary"]);
        for rule in &page.items {
            let field = |name: &str| {
                let found = rule.rule.as_ref().and_then(|rule| rule[name].as_str());
                found.unwrap_or_default().to_owned()
            };
            let state = if rule.off { "off" } else { "on" };
            table.row([rule.name.clone(), field("severity"), from(rule), state.to_owned(), field("summary")]);
        }
        output.table(&table)
    })
}

fn from(rule: &AlarmRuleInUse) -> String {
    match (rule.origin, &rule.pack) {
        (AlarmRuleOrigin::Hub, _) => "the hub".to_owned(),
        (AlarmRuleOrigin::Pack, Some(pack)) => format!("pack {pack}"),
        (AlarmRuleOrigin::Pack, None) => "a pack".to_owned(),
        (AlarmRuleOrigin::Org, _) => "your org".to_owned(),
    }
}

/// Makes one, switches one off, or takes that back.
pub(super) async fn change(verb: RuleVerb, hub: &Hub, context: &Context) -> Done {
    let output = context.output;
    let (changed, said) = match verb {
        RuleVerb::Set { file } => {
            let (name, rule) = read_object(&file, "rule")?;
            let rule = hub.set_alarm_rule(&name, &PutAlarmRule { rule: Some(rule) }).await?;
            (rule, format!("The alarm rule `{name}` holds from now on."))
        }
        RuleVerb::Off { name } => {
            let rule = hub.set_alarm_rule(&name, &PutAlarmRule { rule: None }).await?;
            (rule, format!("The alarm rule `{name}` is off; `sortie alarm rule remove {name}` takes that back."))
        }
        RuleVerb::Remove { name } => {
            let rule = hub.remove_alarm_rule(&name).await?;
            (rule, format!("Your org says nothing of the alarm rule `{name}` any more."))
        }
    };
    output.either(&changed, |_| {
        output.say(&said);
        Ok(())
    })
}
