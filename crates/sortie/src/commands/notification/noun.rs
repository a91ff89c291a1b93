//! What `sortie notification` takes.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::list::List;
use super::{list, rules};
use crate::context::Context;
use crate::exit::Done;
use crate::find_hub::HubOptions;

/// What `sortie notification` takes.
#[derive(Debug, Args)]
pub(crate) struct NotificationCommand {
    #[command(flatten)]
    hub: HubOptions,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List what was told to whom, what waits, and what was held back and why, newest first
    List(List),
    /// List the rules that say who is told of what
    #[command(after_help = "Example: sortie notification rules")]
    Rules,
    /// Make rules of your org's own, switch rules off, and take that back
    Rule(Rule),
}

#[derive(Debug, Args)]
struct Rule {
    #[command(subcommand)]
    verb: RuleVerb,
}

#[derive(Debug, Subcommand)]
pub(super) enum RuleVerb {
    /// Make a rule, or put it in place of the one of its name
    #[command(after_help = "Example: sortie notification rule set disks.toml\n\n\
                            The file holds one rule, as TOML or JSON:\n  name = \"disks\"\n  rules = [\"disk.*\"]\n  \
                            audience = \"operator\"\n  channels = [\"mail\"]\n  cool_down_s = 86400")]
    Set {
        /// The file; `-` reads it from stdin
        file: PathBuf,
    },
    /// Take back what your org says of a rule; the one that the hub has holds again
    #[command(after_help = "Example: sortie notification rule remove operators")]
    Remove {
        /// Its name
        name: String,
    },
    /// Switch off a rule that every hub has
    #[command(after_help = "Example: sortie notification rule off customers")]
    Off {
        /// Its name, as `sortie notification rules` shows it
        name: String,
    },
}

/// Does it.
pub(crate) async fn run(command: NotificationCommand, context: &Context) -> Done {
    let hub = context.hub(&command.hub)?;
    match command.verb {
        Verb::List(asked) => list::run(asked, &hub, context).await,
        Verb::Rules => rules::list(&hub, context).await,
        Verb::Rule(rule) => rules::change(rule.verb, &hub, context).await,
    }
}
