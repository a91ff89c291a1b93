//! `sortie site`: named groups of nodes at one place.

use clap::{Args, Subcommand};
use sortie_client::people::Hub;
use sortie_wire::nodes::PutSite;
use sortie_wire::problem::ProblemCode;

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
    /// Remove a site that nothing needs
    #[command(after_help = "Example: sortie site remove budapset\n\
                            A site stays while a node is at it, be it a revoked one, while an invite to it is open, \
                            and while its layer has a draft, goes out, or says something. What stands in the way is \
                            told.")]
    Remove {
        /// The site's key
        key: String,
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
        Verb::Remove { key } => {
            let site = hub.remove_site(&key).await?;
            output.either(&site, |site| {
                output.say(&format!("The site `{}` is removed.", site.key));
                Ok(())
            })
        }
    }
}

/// Whether a site that is named is not there yet, as far as whoever asks may look.
pub(super) async fn is_missing(hub: &Hub, named: Option<&str>) -> bool {
    let Some(key) = named.filter(|key| !key.is_empty()) else { return false };
    let looked = hub.site(key).await;
    looked.is_err_and(|error| error.problem().is_some_and(|problem| problem.code == ProblemCode::UnknownSite))
}

/// Says of a site that it was made because it was named.
pub(super) fn tell_new(key: &str, context: &Context) {
    let remove = context.next_command(&format!("site remove {key}"));
    context.output.say(&format!("The site `{key}` is new. If another was meant: `{remove}`, once nothing is at it."));
}
