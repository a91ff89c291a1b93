//! `sortie settings`: what the administrators of an org may choose.

use clap::{Args, Subcommand};
use serde_json::Value;
use sortie_rules::time::{Millis, Span};
use sortie_wire::org_settings::{OrgSetting, OrgSettingType};

use crate::context::Context;
use crate::exit::Done;
use crate::find_hub::HubOptions;
use crate::output::{Table, ago};

/// What `sortie settings` takes.
#[derive(Debug, Args)]
pub(crate) struct SettingsCommand {
    #[command(flatten)]
    hub: HubOptions,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List every org setting with what holds, its default and its limits
    #[command(after_help = "Example: sortie settings list")]
    List,
    /// Print what holds under a key; what it is for is said on stderr
    #[command(after_help = "Example: sortie settings get sessions.idle_seconds")]
    Get {
        /// The key, as `sortie settings list` shows it
        key: String,
    },
    /// Choose what shall hold from now on
    #[command(after_help = "Example: sortie settings set terminal.session_max_ttl_seconds 1h")]
    Set {
        /// The key, as `sortie settings list` shows it
        key: String,
        /// The value; what is counted in seconds may also be a span such as 90s or 1h30m
        value: String,
    },
    /// Go back to the default
    #[command(after_help = "Example: sortie settings reset terminal.session_max_ttl_seconds")]
    Reset {
        /// The key, as `sortie settings list` shows it
        key: String,
    },
    /// Make every hub forget what it has in memory of one org setting, or of all
    #[command(after_help = "Example: sortie settings evict tokens.role_max\n\n\
                            For whoever has changed the table by hand: every hub reads it again within a second. \
                            What is chosen by `set` and `reset` holds everywhere without this.")]
    Evict {
        /// The key, as `sortie settings list` shows it; all of them if none is given
        key: Option<String>,
    },
}

/// Does it.
pub(crate) async fn run(command: SettingsCommand, context: &Context) -> Done {
    let (hub, output) = (context.hub(&command.hub)?, context.output);
    let said = |setting: &OrgSetting, before: &OrgSetting| {
        let (now, was) = (plain(&setting.value), plain(&before.value));
        let told = if setting.changed_at.is_none() {
            format!("The org setting `{}` has its default again: {now}.", setting.key)
        } else if now == was {
            format!("The org setting `{}` is {now}, as it was.", setting.key)
        } else {
            format!("The org setting `{}` is {now}; it was {was}.", setting.key)
        };
        output.say(&told);
        Ok(())
    };
    match command.verb {
        Verb::List => {
            let page = hub.org_settings().await?;
            output.either(&page, |page| output.table(&table(&page.items, context.clock.now())))
        }
        Verb::Get { key } => {
            let setting = hub.org_setting(&key).await?;
            output.either(&setting, |setting| {
                let (limits, default) = (limits(setting), plain(&setting.default));
                output.say(&format!("{} It is {limits}; the default is {default}.", setting.meaning));
                output.line(&plain(&setting.value))
            })
        }
        Verb::Set { key, value } => {
            let before = hub.org_setting(&key).await?;
            let setting = hub.set_org_setting(&key, meant(&before, value)).await?;
            output.either(&setting, |setting| said(setting, &before))
        }
        Verb::Reset { key } => {
            let before = hub.org_setting(&key).await?;
            let setting = hub.reset_org_setting(&key).await?;
            output.either(&setting, |setting| said(setting, &before))
        }
        Verb::Evict { key } => {
            let evicted = hub.evict_org_settings(key.as_deref()).await?;
            output.either(&evicted, |evicted| {
                let what = match (&key, evicted.keys.len()) {
                    (Some(key), _) => format!("the org setting `{key}`"),
                    (None, many) => format!("all {many} org settings"),
                };
                output.say(&format!("Every hub reads {what} again, within a second."));
                Ok(())
            })
        }
    }
}

/// What was typed, as a value of the setting's type. What cannot be one goes as it is: the hub says what would.
fn meant(setting: &OrgSetting, typed: String) -> Value {
    let meant = match setting.kind {
        OrgSettingType::Number => {
            let span = || typed.parse::<Span>().ok().filter(|span| span.0 % 1000 == 0).map(|span| span.0 / 1000);
            let counts_seconds = setting.unit.as_deref() == Some("seconds");
            typed.parse::<i64>().ok().or_else(|| counts_seconds.then(span).flatten()).map(Value::from)
        }
        OrgSettingType::Flag => typed.parse::<bool>().ok().map(Value::from),
        OrgSettingType::Word => None,
    };
    meant.unwrap_or(Value::String(typed))
}

/// As it is typed.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn limits(setting: &OrgSetting) -> String {
    match (setting.kind, setting.least, setting.most) {
        (OrgSettingType::Number, Some(least), Some(most)) => format!("from {least} to {most}"),
        (OrgSettingType::Number, _, _) => "a whole number".to_owned(),
        (OrgSettingType::Flag, _, _) => "true or false".to_owned(),
        (OrgSettingType::Word, _, _) => setting.words.join(", "),
    }
}

fn table(settings: &[OrgSetting], now: Millis) -> Table {
    let mut table = Table::new(["key", "value", "default", "limits", "changed", "by"]);
    for setting in settings {
        table.row([
            setting.key.clone(),
            plain(&setting.value),
            plain(&setting.default),
            limits(setting),
            setting.changed_at.map_or_else(|| "never".to_owned(), |at| ago(now, at)),
            setting.changed_by.clone().unwrap_or_default(),
        ]);
    }
    table
}
