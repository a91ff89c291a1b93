//! `sortie secret`: values that desired states refer to. They are written and never read.

use clap::{Args, Subcommand};
use sortie_client::people::Hub;
use sortie_wire::problem::ProblemCode;
use sortie_wire::secrets::WriteSecret;

use super::agree::agree;
use super::pages::{Pages, tell_rest};
use crate::context::Context;
use crate::exit::Done;
use crate::find_hub::HubOptions;
use crate::output::{Output, Table, ago};
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
    #[command(after_help = "Examples:\n  sortie secret set wifi-key\n  sortie secret set wifi-key < wifi.key\n  \
                            sortie secret set wifi-key --yes < wifi.key\n\n\
                            In a layer, write {\"$secret\": \"wifi-key\"} where the value shall stand.\n\
                            If a layer uses the secret already, it says which and asks first.")]
    Set {
        /// Its name
        name: String,
        /// Without asking, also if layers use it
        #[arg(long)]
        yes: bool,
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
        Verb::Set { name, yes } => {
            if !yes {
                ask_if_used(&hub, &name, output).await?;
            }
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

/// Asks before a value goes that nodes live by: there is no way back to it.
async fn ask_if_used(hub: &Hub, name: &str, output: Output) -> Done {
    let plan = match hub.secret(name).await {
        Ok(secret) => match secret.used_by.unwrap_or_default().as_slice() {
            [] => return Ok(()),
            layers => format!(
                "The secret `{name}` is used by {}. Their nodes get the new value at once, and nobody can read the \
                 present one (version {}) again.",
                layers.join(", "),
                secret.version
            ),
        },
        Err(error) => match error.problem().map(|problem| problem.code) {
            Some(ProblemCode::UnknownSecret) => return Ok(()),
            // Somebody may write secrets and read nothing.
            Some(ProblemCode::Forbidden) => {
                format!(
                    "Whether `{name}` is there and used already is not for you to see. If so, its nodes get the new \
                     value at once."
                )
            }
            _ => return Err(error.into()),
        },
    };
    agree(output, false, &plan)
}
