//! The verbs of `sortie pack`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{check, new, policy};
use crate::context::Context;
use crate::exit::Done;

/// What `sortie pack` takes.
#[derive(Debug, Args)]
pub(crate) struct PackCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Write a working pack with one task type, to be changed into yours
    #[command(after_help = "Example: sortie pack new invoices\n\n\
                            makes the folder `invoices`. docs/recipes/add-a-task-type.md goes on from there.")]
    New(new::New),
    /// Explain every mistake of a pack, with file, line and column
    #[command(after_help = "Example: sortie pack check invoices\n\n\
                            Ends with 0 if the pack is sound and with 2 if it is not.")]
    Check {
        /// The pack's folder
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
    /// Print what a site puts into its policy.toml to run the pack's task types
    #[command(after_help = "Example: sortie pack policy invoices >> box/policy.toml\n\n\
                            Read it first: the policy is the site's last word on what runs there.")]
    Policy {
        /// The pack's folder, as it lies on the site's machine
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
}

/// Does it.
pub(crate) fn run(command: PackCommand, context: &Context) -> Done {
    match command.verb {
        Verb::New(asked) => new::run(&asked, context.output),
        Verb::Check { folder } => check::run(&folder, context.output),
        Verb::Policy { folder } => policy::run(&folder, context.output),
    }
}
