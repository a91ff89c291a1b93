//! `sortie org`: the tenants of a hub. Only administrators of the hub's own org make them.

use clap::{Args, Subcommand};
use sortie_client::people::Hub;
use sortie_rules::ids::OrgId;
use sortie_wire::orgs::CreateOrg;

use super::named::only;
use super::pages::{Pages, tell_rest};
use crate::context::Context;
use crate::exit::{Done, Failure};
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
    /// Make another administrator's token for an org that has lost its own; it alone is printed on stdout
    #[command(after_help = "Example: sortie org admin north-clinics > north.token")]
    Admin {
        /// The org's name or id
        org: String,
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
        Verb::Admin { org } => {
            let created = hub.make_org_admin(find(&hub, &org).await?).await?;
            output.either(&created, |created| {
                output.say(&format!("This is a token for an administrator of {org}; it is shown only now."));
                output.line(&created.token)
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

async fn find(hub: &Hub, text: &str) -> Result<OrgId, Failure> {
    if let Ok(id) = text.parse() {
        return Ok(id);
    }
    let orgs = Pages::all().read(|after, limit| hub.orgs(after, limit)).await?.items;
    let named: Vec<OrgId> = orgs.iter().filter(|org| org.name == text).map(|org| org.id).collect();
    only(&named, "org", text, "sortie org list")
}
