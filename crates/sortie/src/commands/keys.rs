//! `sortie keys`: operators' keys, made and kept on the operator's own machine. No hub is asked.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde::Serialize;
use sortie_rules::names::check_name;
use sortie_wire::ssh::SshKey;

use crate::context::Context;
use crate::exit::{Done, Failure};
use crate::operator_keys::{KeyFile, PASSPHRASE_BYTES_MIN, default_file, read_passphrase};
use crate::output::details;

/// What `sortie keys` takes.
#[derive(Debug, Args)]
pub(crate) struct KeysCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Make a key under a passphrase; its public half is printed
    #[command(after_help = "Example: sortie keys new --name ada > ada.pub")]
    New {
        /// What the operator is called
        #[arg(long)]
        name: String,
        /// Where the key is kept [default: operator.key in the configuration folder]
        #[arg(long, value_name = "FILE", env = "SORTIE_OPERATOR_KEY")]
        out: Option<PathBuf>,
        /// A file whose first line is the passphrase; it is asked for if absent
        #[arg(long, value_name = "FILE", env = "SORTIE_OPERATOR_PASSPHRASE_FILE")]
        passphrase_file: Option<PathBuf>,
    },
    /// Print the public half of a key
    #[command(after_help = "Example: sortie keys show > ada.pub")]
    Show {
        /// The key's file [default: operator.key in the configuration folder]
        #[arg(value_name = "FILE", env = "SORTIE_OPERATOR_KEY")]
        file: Option<PathBuf>,
    },
}

#[derive(Serialize)]
struct Shown<'k> {
    name: &'k str,
    key: &'k SshKey,
    fingerprint: String,
    file: PathBuf,
}

/// Does it.
pub(crate) fn run(command: KeysCommand, context: &Context) -> Done {
    match command.verb {
        Verb::New { name, out, passphrase_file } => {
            check_name("operator", &name).map_err(|bad| Failure::usage(bad.to_string()))?;
            let path = out.map_or_else(|| default_file(&context.env), Ok)?;
            if path.exists() {
                return Err(Failure::usage(format!("{} is there already", path.display()))
                    .remedy("name another file with --out; a key that is lost cannot be made again"));
            }
            let passphrase =
                read_passphrase(passphrase_file.as_ref(), "Passphrase for the new key", true, context.output)?;
            if passphrase.len() < PASSPHRASE_BYTES_MIN {
                return Err(Failure::usage(format!("a passphrase has at least {PASSPHRASE_BYTES_MIN} characters")));
            }
            let file = KeyFile::make(&name, &passphrase, &context.entropy)?;
            file.write(&path)?;
            context.output.say(&format!(
                "The key is kept in {}. Keep a copy of it and its passphrase apart: neither can be made again. Below \
                 is its public half, which goes into the set of operators: `sortie operators new`.",
                path.display()
            ));
            show(&file, path, context)
        }
        Verb::Show { file } => {
            let path = file.map_or_else(|| default_file(&context.env), Ok)?;
            show(&KeyFile::read(&path)?, path, context)
        }
    }
}

fn show(file: &KeyFile, path: PathBuf, context: &Context) -> Done {
    let (name, key) = (file.name.as_str(), &file.public);
    let shown = Shown { name, key, fingerprint: key.fingerprint(), file: path };
    context.output.either(&shown, |shown| {
        context
            .output
            .say(&details(&[("fingerprint", shown.fingerprint.clone())], context.output.talk_colours()).join("\n"));
        context.output.line(&format!("{key} {name}"))
    })
}
