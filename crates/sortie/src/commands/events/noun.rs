//! What `sortie events` takes.

use clap::{Args, Subcommand};

use super::setup::{self, Setup};
use crate::context::Context;
use crate::exit::Done;

/// What `sortie events` takes.
#[derive(Debug, Args)]
pub(crate) struct EventsCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Make the stream that takes hubs' events, and consumers to read them with, or change them
    Setup(Setup),
}

/// Does it.
pub(crate) async fn run(command: EventsCommand, context: &Context) -> Done {
    match command.verb {
        Verb::Setup(setup) => setup::run(setup, context).await,
    }
}
