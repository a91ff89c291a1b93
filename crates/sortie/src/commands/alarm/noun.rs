//! What `sortie alarm` takes.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use sortie_rules::ids::AlarmId;

use super::list::List;
use super::{list, rules, show};
use crate::context::Context;
use crate::exit::Done;
use crate::find_hub::HubOptions;

/// What `sortie alarm` takes.
#[derive(Debug, Args)]
pub(crate) struct AlarmCommand {
    #[command(flatten)]
    hub: HubOptions,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List what is wrong: the alarms that are open, newest first
    List(List),
    /// Show one alarm with what began it
    #[command(after_help = "Example: sortie alarm show 01980c5e-7d1a-7c3e-9b7e-0123456789ab")]
    Show {
        /// Its id, as `sortie alarm list` shows it
        id: AlarmId,
    },
    /// List the rules by which alarms are judged
    #[command(after_help = "Example: sortie alarm rules")]
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
    /// Make a rule, or put it in place of the one of its name; what the former one raised is over
    #[command(after_help = "Example: sortie alarm rule set disk.toml\n\nThe file holds one rule, as TOML or JSON:\n  \
                            name = \"disk.nearly_full\"\n  severity = \"warning\"\n  summary = \"A disk fills.\"\n  \
                            hold_s = 300\n  \
                            facts = { kind = \"facts\", field = \"/data_disk/used_percent\", above = 80 }")]
    Set {
        /// The file; `-` reads it from stdin
        file: PathBuf,
    },
    /// Take back what your org says of a rule; the one that the hub or a pack has holds again
    #[command(after_help = "Example: sortie alarm rule remove disk.nearly_full")]
    Remove {
        /// Its name
        name: String,
    },
    /// Switch off a rule that the hub or a pack has
    #[command(after_help = "Example: sortie alarm rule off node.stale")]
    Off {
        /// Its name, as `sortie alarm rules` shows it
        name: String,
    },
}

/// Does it.
pub(crate) async fn run(command: AlarmCommand, context: &Context) -> Done {
    let hub = context.hub(&command.hub)?;
    match command.verb {
        Verb::List(asked) => list::run(asked, &hub, context).await,
        Verb::Show { id } => show::run(id, &hub, context).await,
        Verb::Rules => rules::list(&hub, context).await,
        Verb::Rule(rule) => rules::change(rule.verb, &hub, context).await,
    }
}
