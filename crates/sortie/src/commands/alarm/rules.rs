//! `sortie alarm rules` and `sortie alarm rule`.

use std::io::Read as _;
use std::path::Path;

use serde_json::Value;
use sortie_client::people::Hub;
use sortie_wire::alarms::{AlarmRuleInUse, AlarmRuleOrigin, PutAlarmRule};

use super::noun::RuleVerb;
use crate::context::Context;
use crate::exit::{Done, Failure};
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
            let rule = read(&file)?;
            let name = rule["name"].as_str().unwrap_or_default().to_owned();
            if name.is_empty() {
                let what = format!("{} names no rule", file.display());
                return Err(Failure::usage(what).remedy("say `name = \"...\"` in it"));
            }
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

/// A rule as a file has it: an object in JSON, or TOML.
fn read(file: &Path) -> Result<Value, Failure> {
    let mut text = String::new();
    let is_stdin = file == Path::new("-");
    let done = if is_stdin {
        std::io::stdin().read_to_string(&mut text).map(drop)
    } else {
        std::fs::read_to_string(file).map(|found| text = found)
    };
    done.map_err(|error| Failure::usage(format!("{} cannot be read: {error}", file.display())))?;
    let parsed = match text.trim_start().starts_with('{') {
        true => serde_json::from_str(&text).map_err(|error| error.to_string()),
        false => toml::from_str(&text).map_err(|error| in_line(&error, &text)),
    };
    parsed.map_err(|why| Failure::usage(format!("{} holds no rule: {why}", file.display())))
}

/// What is wrong with a file, and where.
fn in_line(error: &toml::de::Error, text: &str) -> String {
    let before = error.span().and_then(|span| text.get(..span.start));
    let place = before.map(|before| format!("line {}: ", before.matches('\n').count() + 1)).unwrap_or_default();
    let what: Vec<&str> = error.message().lines().collect();
    format!("{place}{}", what.join("; "))
}
