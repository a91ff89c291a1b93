//! What `sortie recipient` takes.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{change, show};
use crate::commands::pages::Pages;
use crate::context::Context;
use crate::exit::Done;
use crate::find_hub::HubOptions;

/// What `sortie recipient` takes.
#[derive(Debug, Args)]
pub(crate) struct RecipientCommand {
    #[command(flatten)]
    hub: HubOptions,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List who may be told of alarms, by name
    #[command(after_help = "Example: sortie recipient list")]
    List {
        #[command(flatten)]
        pages: Pages,
    },
    /// Show one recipient: who it is and what it wants
    #[command(after_help = "Example: sortie recipient show on-call")]
    Show {
        /// Its name
        name: String,
    },
    /// Make a recipient, or put it in place of the one of its name; the secret of a new webhook is shown this once
    #[command(after_help = "Examples:\n  sortie recipient set on-call.toml\n  \
                            sortie recipient set portal.toml --webhook-secret-file portal.secret\n\n\
                            The file holds one recipient, as TOML or JSON:\n  name = \"on-call\"\n  \
                            audience = \"operator\"\n  mail = \"on-call@example.org\"")]
    Set {
        /// The file; `-` reads it from stdin
        file: PathBuf,
        /// A file with the secret that signs calls of the webhook: `whsec_` and 24 to 64 bytes in base64
        #[arg(long, value_name = "FILE")]
        webhook_secret_file: Option<PathBuf>,
    },
    /// Remove a recipient; what has not gone out to it never does
    #[command(after_help = "Example: sortie recipient remove on-call")]
    Remove {
        /// Its name
        name: String,
    },
    /// Send a recipient a test now, and say what came of it
    #[command(
        after_help = "Examples:\n  sortie recipient test on-call\n  sortie recipient test on-call --channel mail"
    )]
    Test {
        /// Its name
        name: String,
        /// Only by this way
        #[arg(long, value_enum)]
        channel: Option<ChannelWord>,
    },
}

/// By which way somebody is told.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum ChannelWord {
    Mail,
    Webhook,
    Console,
}

impl ChannelWord {
    /// What it stands for.
    pub(crate) fn channel(self) -> sortie_rules::notifications::Channel {
        use sortie_rules::notifications::Channel;
        match self {
            ChannelWord::Mail => Channel::Mail,
            ChannelWord::Webhook => Channel::Webhook,
            ChannelWord::Console => Channel::Console,
        }
    }
}

/// Does it.
pub(crate) async fn run(command: RecipientCommand, context: &Context) -> Done {
    let hub = context.hub(&command.hub)?;
    match command.verb {
        Verb::List { pages } => show::list(pages, &hub, context).await,
        Verb::Show { name } => show::one(&name, &hub, context).await,
        Verb::Set { file, webhook_secret_file } => {
            change::set(&file, webhook_secret_file.as_deref(), &hub, context).await
        }
        Verb::Remove { name } => change::remove(&name, &hub, context).await,
        Verb::Test { name, channel } => change::test(&name, channel.map(ChannelWord::channel), &hub, context).await,
    }
}
