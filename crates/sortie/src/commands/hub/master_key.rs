//! `sortie hub master-key`: makes the key that seals the hub's keys in a PostgreSQL database, and seals them with it in
//! place of another.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;
use sortie_hub::upkeep::{Sealed, seal_anew};

use super::settings_of;
use crate::commands::upkeep::failed;
use crate::context::Context;
use crate::exit::{Done, Failure};

/// What `sortie hub master-key` takes.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  sortie hub master-key /etc/sortie/master.key\n  \
                        sortie hub master-key /etc/sortie/new.key --in-place-of /etc/sortie/master.key \
                        --data /var/lib/sortie\n\n\
                        Give every hub on the database a copy, and name it: master_key_file in hub.toml.\n\
                        Whoever has this file and a copy of the database has the hub's keys.\n\
                        Whoever loses it loses them.\n\n\
                        --in-place-of works on the database, beside hubs that run: all keys are sealed with FILE or \
                        none, and the same command again changes nothing. docs/replicas.md is the runbook.")]
pub(crate) struct MasterKeyCommand {
    /// The file to make; it must not be there yet, unless the keys shall be sealed with it in place of another
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Seal the hub's keys with FILE in place of this master key
    #[arg(long, value_name = "OLD", requires = "data")]
    in_place_of: Option<PathBuf>,
    /// The data folder of a hub, whose settings name the database
    #[arg(long, value_name = "DIR", requires = "in_place_of")]
    data: Option<PathBuf>,
    /// The file with its settings [default: DIR/hub.toml, if there is one]
    #[arg(long, value_name = "FILE", requires = "in_place_of")]
    config: Option<PathBuf>,
}

/// Makes it, and seals with it if asked to.
pub(crate) async fn run(command: MasterKeyCommand, context: &Context) -> Done {
    let MasterKeyCommand { file, in_place_of, data, config } = command;
    if let (Some(old), Some(data)) = (in_place_of, data) {
        let settings = settings_of(data, config.as_deref(), None)?;
        let now = context.clock.now();
        let sealed = seal_anew(&settings, &file, &old, now).await.map_err(|error| failed(&error))?;
        return tell(&file, &old, sealed, context);
    }
    sortie_hub::make_master_key(&file).map_err(|error| Failure::usage(error.to_string()))?;
    let file = file.display();
    context.output.either(&json!({ "file": file.to_string() }), |_| {
        context.output.say(&format!("Made {file}. Keep a copy of it where the backups of the database are not."));
        Ok(())
    })
}

fn tell(file: &Path, old: &Path, Sealed { keys, was_done }: Sealed, context: &Context) -> Done {
    let (file, old) = (file.display().to_string(), old.display().to_string());
    let value = json!({ "file": file, "in_place_of": old, "keys": keys, "was_done": was_done });
    context.output.either(&value, |_| {
        context.output.say(&match was_done {
            false => format!("The hub's {keys} keys are sealed with {file} from now on, and {old} opens them no more."),
            true => format!("The hub's {keys} keys are sealed with {file} already; nothing was changed."),
        });
        context.output.say(&format!(
            "Give every hub the file: in the place of its master_key_file, or name it there and restart one after the \
             other. Keep {old} for as long as you keep backups from before."
        ));
        Ok(())
    })
}
