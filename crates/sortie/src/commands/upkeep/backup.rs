//! `sortie backup`: everything that a hub keeps, in one file, while the hub runs.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use clap::Args;
use sortie_hub::Settings;
use sortie_hub::upkeep::{Manifest, Progress, UpkeepError, back_up};

use super::bar::Bar;
use super::failure::failed;
use super::options::Folder;
use crate::commands::agree::agree;
use crate::context::Context;
use crate::exit::{Done, Failure};
use crate::output::Output;

/// What `sortie backup` takes.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  sortie backup --data /var/lib/sortie --to hub.backup\n  \
                        sortie backup --data /var/lib/sortie --to - | age -r KEY > hub.backup.age\n\n\
                        It holds the hub's keys: keep it as safe as the hub itself. docs/backup.md is the runbook.")]
pub(crate) struct BackupCommand {
    #[command(flatten)]
    folder: Folder,
    /// The file to write; - for standard output
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
    /// Do not ask before a file is written over
    #[arg(long)]
    yes: bool,
}

/// Does it.
pub(crate) async fn run(command: BackupCommand, context: &Context) -> Done {
    let (settings, output) = (command.folder.settings()?, context.output);
    let mut bar = Bar::new(output);
    let now = context.clock.now();
    if command.to == Path::new("-") {
        if output.json() {
            let what = "standard output holds the backup, and so it cannot hold JSON";
            return Err(Failure::usage(what).remedy("name a file with --to, or leave --json out"));
        }
        if io::stdout().is_terminal() {
            let what = "a backup is not for a terminal";
            return Err(Failure::usage(what).remedy("name a file with --to, or pass it on with |"));
        }
        let to = BufWriter::with_capacity(1 << 20, io::stdout());
        let manifest = back_up(&settings, to, now, &mut |at| bar.show(at)).await.map_err(|error| failed(&error))?;
        drop(bar);
        tell(&manifest, output);
        return Ok(());
    }
    if command.to.exists() {
        agree(output, command.yes, &format!("{} is there already and will be written over.", command.to.display()))?;
    }
    let written = into_file(&settings, &command.to, now, &mut |at| bar.show(at)).await;
    drop(bar);
    let manifest = written.map_err(|error| failed(&error))?;
    tell(&manifest, output);
    if output.json() { output.value(&manifest) } else { Ok(()) }
}

/// Writes the file whole or not at all, for its owner alone.
async fn into_file(
    settings: &Settings,
    to: &Path,
    now: sortie_rules::time::Millis,
    told: &mut dyn FnMut(Progress),
) -> Result<Manifest, UpkeepError> {
    let mut beside = to.as_os_str().to_owned();
    beside.push(".writing");
    let beside = PathBuf::from(beside);
    let cannot = |source: io::Error| UpkeepError::Io { what: beside.display().to_string(), source };
    let file = OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(&beside).map_err(cannot)?;
    let written = back_up(settings, BufWriter::with_capacity(1 << 20, &file), now, told).await;
    let kept = written.and_then(|manifest| keep(&file, &beside, to).map(|()| manifest).map_err(cannot));
    if kept.is_err() {
        let _gone = fs::remove_file(&beside);
    }
    kept
}

fn keep(mut file: &File, beside: &Path, to: &Path) -> io::Result<()> {
    file.flush()?;
    file.sync_all()?;
    fs::rename(beside, to)?;
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

fn tell(manifest: &Manifest, output: Output) {
    let rows: u64 = manifest.tables.iter().map(|table| table.rows + table.waiting).sum();
    let keys =
        if manifest.has_keys() { "its keys are in it" } else { "no keys are in it: the hub keeps them elsewhere" };
    output.say(&format!(
        "Backup {} holds {rows} rows of schema {}, from {}; {keys}.",
        manifest.id, manifest.schema, manifest.engine
    ));
    let Some(blobs) = &manifest.blobs else { return };
    let (count, place) = (blobs.blobs, &blobs.place);
    output.say(&match blobs.included {
        true => format!("{count} blobs ({} bytes) from {place} are in it.", blobs.bytes),
        false => {
            format!("{count} blobs ({} bytes) are not in it: they stay in {place}, which must keep them.", blobs.bytes)
        }
    });
    if blobs.lost > 0 {
        output.say(&format!("{} more are lost: the logs that were in them cannot be read any more.", blobs.lost));
    }
}
