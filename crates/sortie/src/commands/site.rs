//! `sortie site`: named groups of nodes at one place.

use clap::{Args, Subcommand};
use sortie_wire::nodes::PutSite;

use super::pages::tell_rest;
use crate::context::Context;
use crate::exit::Done;
use crate::find_hub::HubOptions;
use crate::output::{Table, ago};

/// What `sortie site` takes.
#[derive(Debug, Args)]
pub(crate) struct SiteCommand {
    #[command(flatten)]
    hub: HubOptions,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List the sites
    #[command(after_help = "Example: sortie site list")]
    List,
    /// Make a site, or give it another name
    #[command(after_help = "Example: sortie site put north-trust --name 'North Trust'")]
    Put {
        /// The site's key: how programs name it
        key: String,
        /// The site's name for people; the key if absent
        #[arg(long)]
        name: Option<String>,
    },
}

/// Does it.
pub(crate) async fn run(command: SiteCommand, context: &Context) -> Done {
    let (hub, output) = (context.hub(&command.hub)?, context.output);
    match command.verb {
        Verb::List => {
            let page = hub.sites().await?;
            output.either(&page, |page| {
                let mut table = Table::new(["key", "name", "made"]);
                for site in &page.items {
                    table.row([site.key.clone(), site.name.clone(), ago(context.clock.now(), site.created_at)]);
                }
                tell_rest(page, "There are no sites yet. An invite with --site makes one.", output);
                if page.items.is_empty() { Ok(()) } else { output.table(&table) }
            })
        }
        Verb::Put { key, name } => {
            let name = name.unwrap_or_else(|| key.clone());
            let site = hub.put_site(&key, &PutSite { name }).await?;
            output.either(&site, |site| {
                output.say(&format!("The site `{}` is called {}.", site.key, site.name));
                Ok(())
            })
        }
    }
}
