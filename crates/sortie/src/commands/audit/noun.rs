//! What `sortie audit` takes.

use clap::{Args, Subcommand};

use super::export::Export;
use super::head::{Head, Keys};
use super::list::List;
use super::verify::Verify;
use super::{export, head, list, verify};
use crate::context::Context;
use crate::exit::Done;

/// What `sortie audit` takes.
#[derive(Debug, Args)]
pub(crate) struct AuditCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List who did what, newest first
    List(List),
    /// Export the whole log, line by line, to keep it elsewhere
    Export(Export),
    /// Prove that nothing was changed in an export, without asking the hub
    Verify(Verify),
    /// Say where the log stands, to hold later exports against it
    Head(Head),
    /// Print the hub's public keys, to check its signatures with them later
    Keys(Keys),
}

/// Does it.
pub(crate) async fn run(command: AuditCommand, context: &Context) -> Done {
    match command.verb {
        Verb::List(list) => list::run(list, context).await,
        Verb::Export(export) => export::run(export, context).await,
        Verb::Verify(verify) => verify::run(&verify, context),
        Verb::Head(head) => head::run(head, context).await,
        Verb::Keys(keys) => head::keys(keys, context).await,
    }
}
