//! `sortie migrate`: what an upgrade does to the store, before it is done or without a hub.

use clap::Args;
use sortie_hub::upkeep::{SchemaReport, migrate, schema_of};

use super::failure::failed;
use super::options::Folder;
use crate::context::Context;
use crate::exit::{Done, Exit, Failure};
use crate::output::{Output, Table};

/// What `sortie migrate` takes.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  sortie migrate --check --data /var/lib/sortie\n  \
                        sortie migrate --data /var/lib/sortie\n\n\
                        A hub migrates its store by itself when it starts. --check changes nothing and ends with 0 if \
                        nothing is pending, with 8 if something is, and with 7 if this program may not use the store.")]
pub(crate) struct MigrateCommand {
    #[command(flatten)]
    folder: Folder,
    /// Only say what is pending, and who may use the store before and after
    #[arg(long)]
    check: bool,
}

/// Does it.
pub(crate) async fn run(command: MigrateCommand, context: &Context) -> Done {
    let (settings, output) = (command.folder.settings()?, context.output);
    let before = schema_of(&settings).await.map_err(|error| failed(&error))?;
    if command.check {
        output.either(&before, |report| tell(report, output))?;
        return verdict(&before);
    }
    migrate(&settings, context.clock.now()).await.map_err(|error| failed(&error))?;
    let after = schema_of(&settings).await.map_err(|error| failed(&error))?;
    match before.pending.len() {
        0 => output.say("Nothing was pending."),
        1 => output.say("1 migration was done."),
        many => output.say(&format!("{many} migrations were done.")),
    }
    output.either(&after, |report| tell(report, output))
}

/// The code with which a check ends.
fn verdict(report: &SchemaReport) -> Done {
    match (report.usable, report.pending.is_empty()) {
        (false, _) => Err(Failure::Silent(Exit::DoesNotHold)),
        (true, false) => Err(Failure::Silent(Exit::Pending)),
        (true, true) => Ok(()),
    }
}

fn tell(report: &SchemaReport, output: Output) -> Done {
    let Some(database) = report.database else {
        return output
            .line(&format!("There is no store yet; the first start makes it with schema {}.", report.program));
    };
    output.line(&format!("The store has schema {database}, this program knows schema {}.", report.program))?;
    if !report.usable {
        let oldest = report.oldest_program;
        output
            .line(&format!("This program may not use it: it must know at least schema {oldest}. Use a newer one."))?;
        return Ok(());
    }
    if report.pending.is_empty() {
        return output.line("Nothing is pending.");
    }
    let mut table = Table::new(["pending", "name", "needs a program that knows"]);
    for step in &report.pending {
        table.row([step.version.to_string(), step.name.to_owned(), format!("schema {}", step.oldest_program)]);
    }
    output.table(&table)?;
    output.line(if report.rolling {
        "Programs that use it now may go on beside this one: upgrade replica by replica."
    } else {
        "Programs that use it now may not go on afterwards: stop all of them before this one starts."
    })
}
