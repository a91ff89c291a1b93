//! `sortie restore`: a hub from a backup, on either engine.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use sortie_hub::upkeep::restore;

use super::bar::Bar;
use super::failure::failed;
use super::options::Folder;
use crate::context::Context;
use crate::exit::Done;

/// What `sortie restore` takes.
#[derive(Debug, Args)]
#[command(after_help = "Example: sortie restore --from hub.backup --data /var/lib/sortie\n\n\
                        The data folder must hold no hub, and the database that the settings name no table. Every byte \
                        of the backup is verified first. Stop the hub that it comes from for good: two hubs with one \
                        identity confuse their agents. docs/backup.md is the runbook.")]
pub(crate) struct RestoreCommand {
    #[command(flatten)]
    folder: Folder,
    /// The backup
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
}

/// Does it.
pub(crate) async fn run(command: RestoreCommand, context: &Context) -> Done {
    let (settings, output) = (command.folder.settings()?, context.output);
    let mut bar = Bar::new(output);
    let restored = restore(&settings, &command.from, context.clock.now(), &mut |at| bar.show(at)).await;
    drop(bar);
    let restored = restored.map_err(|error| failed(&error))?;
    let manifest = &restored.manifest;
    output.say(&format!(
        "{} rows were restored from backup {} of {} into {}.",
        restored.rows,
        manifest.id,
        crate::output::utc(manifest.created_at),
        restored.engine
    ));
    if !manifest.has_keys() {
        output.say("No keys are in the backup: the hub needs the master_key_file with which they were kept.");
    }
    let data = command.folder.data.display();
    output.say(&format!("Start the hub: sortie hub --data {data}"));
    if !output.json() {
        return Ok(());
    }
    output.value(&json!({
        "backup": manifest.id, "created_at": manifest.created_at, "schema": manifest.schema,
        "from": manifest.engine, "engine": restored.engine, "rows": restored.rows,
    }))
}
