//! `sortie session`: who is signed in to the console.

use clap::{Args, Subcommand};
use sortie_client::people::Hub;
use sortie_rules::ids::SessionId;

use super::named::only;
use super::pages::{Pages, tell_rest};
use crate::context::Context;
use crate::exit::{Done, Failure};
use crate::find_hub::HubOptions;
use crate::output::{Table, ago, moment};

/// What `sortie session` takes.
#[derive(Debug, Args)]
pub(crate) struct SessionCommand {
    #[command(flatten)]
    hub: HubOptions,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List who is signed in, newest first
    #[command(after_help = "Example: sortie session list")]
    List {
        #[command(flatten)]
        pages: Pages,
    },
    /// Sign somebody out at once
    #[command(after_help = "Example: sortie session end 01980c5e-7d1a-7c3e-9b7e-0123456789ab")]
    End {
        /// The session's id, as `sortie session list` shows it, or whose it is if they have no other
        #[arg(value_name = "ID|NAME")]
        session: String,
    },
}

/// Does it.
pub(crate) async fn run(command: SessionCommand, context: &Context) -> Done {
    let (hub, output, now) = (context.hub(&command.hub)?, context.output, context.clock.now());
    match command.verb {
        Verb::List { pages } => {
            let page = pages.read(|after, limit| hub.sessions(after, limit)).await?;
            output.either(&page, |page| {
                let mut table = Table::new(["id", "name", "role", "since", "last used", "ends"]);
                for session in &page.items {
                    table.row([
                        session.id.to_string(),
                        session.name.clone(),
                        session.role.as_str().to_owned(),
                        ago(now, session.created_at),
                        ago(now, session.last_used_at),
                        moment(now, session.ends_at),
                    ]);
                }
                tell_rest(page, "Nobody is signed in.", output);
                if page.items.is_empty() { Ok(()) } else { output.table(&table) }
            })
        }
        Verb::End { session } => {
            let session = hub.end_session(find(&hub, &session).await?).await?;
            output.either(&session, |session| {
                output.say(&format!("{} is signed out.", session.name));
                Ok(())
            })
        }
    }
}

async fn find(hub: &Hub, text: &str) -> Result<SessionId, Failure> {
    if let Ok(id) = text.parse() {
        return Ok(id);
    }
    let sessions = Pages::all().read(|after, limit| hub.sessions(after, limit)).await?.items;
    let named: Vec<SessionId> = sessions.iter().filter(|one| one.name == text).map(|one| one.id).collect();
    only(&named, "session of", text, "sortie session list")
}
