//! `sortie hub master-key`: makes the key that seals the hub's keys in a PostgreSQL database.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::context::Context;
use crate::exit::{Done, Failure};

/// What `sortie hub master-key` takes.
#[derive(Debug, Args)]
#[command(after_help = "Example: sortie hub master-key /etc/sortie/master.key\n\
                        Give every hub on the database a copy, and name it: master_key_file in hub.toml.\n\
                        Whoever has this file and a copy of the database has the hub's keys.\n\
                        Whoever loses it loses them.")]
pub(crate) struct MasterKeyCommand {
    /// The file to make; it must not be there yet
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// Makes it.
pub(crate) fn run(command: &MasterKeyCommand, context: &Context) -> Done {
    sortie_hub::make_master_key(&command.file).map_err(|error| Failure::usage(error.to_string()))?;
    let file = command.file.display();
    context.output.either(&json!({ "file": file.to_string() }), |_| {
        context.output.say(&format!("Made {file}. Keep a copy of it where the backups of the database are not."));
        Ok(())
    })
}
