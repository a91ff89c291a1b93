//! `sortie secret`: values that desired states refer to. They are written and never read.

use clap::{Args, Subcommand};
use sortie_wire::secrets::WriteSecret;

use super::pages::{Pages, tell_rest};
use crate::context::Context;
use crate::exit::Done;
use crate::find_hub::HubOptions;
use crate::output::{Table, ago};
use crate::values::read_password;

/// What `sortie secret` takes.
#[derive(Debug, Args)]
pub(crate) struct SecretCommand {
    #[command(flatten)]
    hub: HubOptions,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List secrets by name; their values are never shown
    #[command(after_help = "Example: sortie secret list")]
    List {
        #[command(flatten)]
        pages: Pages,
    },
    /// Give a secret its value, which is asked for or read from stdin; nodes whose state refers to it get it at once
    #[command(after_help = "Examples:\n  sortie secret set wifi-key\n  sortie secret set wifi-key < wifi.key\n\n\
                            In a layer, write {\"$secret\": \"wifi-key\"} where the value shall stand.")]
    Set {
        /// Its name
        name: String,
    },
    /// Delete a secret to which no layer refers
    #[command(after_help = "Example: sortie secret remove wifi-key")]
    Remove {
        /// Its name
        name: String,
    },
}

/// Does it.
pub(crate) async fn run(command: SecretCommand, context: &Context) -> Done {
    let (hub, output) = (context.hub(&command.hub)?, context.output);
    match command.verb {
        Verb::List { pages } => {
            let page = pages
                .read(|after, limit| {
                    let hub = hub.clone();
                    async move { hub.secrets(after, limit).await }
                })
                .await?;
            output.either(&page, |page| {
                tell_rest(page, "There are no secrets. `sortie secret set NAME` makes one.", output);
                if page.items.is_empty() {
                    return Ok(());
                }
                let (now, mut table) = (context.clock.now(), Table::new(["name", "version", "changed", "by"]));
                for secret in &page.items {
                    let changed = ago(now, secret.changed_at);
                    table.row([secret.name.clone(), secret.version.to_string(), changed, secret.changed_by.clone()]);
                }
                output.table(&table)
            })
        }
        Verb::Set { name } => {
            let value = read_password(&format!("Value of {name}"), true)?.0;
            let secret = hub.set_secret(&name, &WriteSecret { value }).await?;
            output.either(&secret, |secret| {
                output.say(&format!("The secret `{}` has its value, version {}.", secret.name, secret.version));
                Ok(())
            })
        }
        Verb::Remove { name } => {
            let secret = hub.remove_secret(&name).await?;
            output.either(&secret, |secret| {
                output.say(&format!("The secret `{}` is deleted.", secret.name));
                Ok(())
            })
        }
    }
}
