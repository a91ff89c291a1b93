//! `sortie org`: the tenants of a hub. Only administrators of the hub's own org make them.

use clap::{Args, Subcommand};
use sortie_rules::ids::OrgId;
use sortie_wire::orgs::CreateOrg;

use super::pages::{Pages, tell_rest};
use crate::context::Context;
use crate::exit::Done;
use crate::find_hub::HubOptions;
use crate::output::{Table, ago};

/// What `sortie org` takes.
#[derive(Debug, Args)]
pub(crate) struct OrgCommand {
    #[command(flatten)]
    hub: HubOptions,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Make an org; the token of its first administrator alone is printed on stdout, and only this once
    #[command(after_help = "Example: sortie org create north-clinics > north.token")]
    Create {
        /// Its name; unique in the hub
        name: String,
        /// Its id, where a provider's tokens name it already; a new one if absent
        #[arg(long)]
        id: Option<OrgId>,
    },
    /// List the orgs
    #[command(after_help = "Example: sortie org list")]
    List {
        #[command(flatten)]
        pages: Pages,
    },
}

/// Does it.
pub(crate) async fn run(command: OrgCommand, context: &Context) -> Done {
    let (hub, output) = (context.hub(&command.hub)?, context.output);
    match command.verb {
        Verb::Create { name, id } => {
            let created = hub.create_org(&CreateOrg { name, id }, None).await?;
            output.either(&created, |created| {
                output.say(&format!(
                    "The org {} ({}) is there. This is its first administrator's token; it is shown only now.",
                    created.org.name, created.org.id
                ));
                output.line(&created.admin.token)
            })
        }
        Verb::List { pages } => {
            let page = pages.read(|after, limit| hub.orgs(after, limit)).await?;
            output.either(&page, |page| {
                let mut table = Table::new(["id", "name", "made"]);
                for org in &page.items {
                    table.row([org.id.to_string(), org.name.clone(), ago(context.clock.now(), org.created_at)]);
                }
                tell_rest(page, "There are no orgs.", output);
                if page.items.is_empty() { Ok(()) } else { output.table(&table) }
            })
        }
    }
}
