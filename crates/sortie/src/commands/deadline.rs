//! `sortie deadline`: by when backups of nodes are expected.

use clap::{Args, Subcommand};
use sortie_rules::time::Span;
use sortie_wire::backups::{BackupDeadline, PutBackupDeadline};

use super::selection::{Selection, meant};
use crate::context::Context;
use crate::exit::Done;
use crate::find_hub::HubOptions;
use crate::output::{Table, moment};

/// What `sortie deadline` takes.
#[derive(Debug, Args)]
pub(crate) struct DeadlineCommand {
    #[command(flatten)]
    hub: HubOptions,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List by when backups are expected
    #[command(after_help = "Example: sortie deadline list")]
    List,
    /// Expect the backups of a target by then, in place of what was said under this name
    Set(Box<Set>),
    /// Expect them no more
    #[command(after_help = "Example: sortie deadline remove nightly")]
    Remove {
        /// Its name, as `sortie deadline list` shows it
        name: String,
    },
}

/// What is expected.
#[derive(Debug, Args)]
#[command(
    after_help = "Example: sortie deadline set nightly --target home --by 06:00 --zone Europe/Budapest --kind host\n\n\
                        A backup counts for a day if it was completed since midnight there. What is missed is an alarm."
)]
struct Set {
    /// What it is called, for example nightly
    name: String,
    #[command(flatten)]
    selection: Selection,
    /// The target, as the nodes' reports of backups name it
    #[arg(long)]
    target: String,
    /// By when, each day: 06:00
    #[arg(long, value_name = "HH:MM")]
    by: String,
    /// In which time zone: Europe/Budapest
    #[arg(long, value_name = "NAME")]
    zone: String,
    /// On which days: mon,tue,wed,thu,fri,sat,sun [default: every day]
    #[arg(long, value_name = "DAYS", value_delimiter = ',')]
    days: Vec<String>,
    /// How long after it this is judged, for reports take their time [default: 20m]
    #[arg(long, value_name = "SPAN")]
    grace: Option<Span>,
}

/// Does it.
pub(crate) async fn run(command: DeadlineCommand, context: &Context) -> Done {
    let (hub, output, now) = (context.hub(&command.hub)?, context.output, context.clock.now());
    match command.verb {
        Verb::List => {
            let page = hub.backup_deadlines().await?;
            output.either(&page, |page| {
                if page.items.is_empty() {
                    output.say("No backups are expected.");
                    return Ok(());
                }
                let mut table = Table::new(["name", "target", "nodes", "by", "zone", "days", "judged", "said by"]);
                for one in &page.items {
                    table.row([
                        one.name.clone(),
                        one.deadline.target.clone(),
                        meant(&one.deadline.selector),
                        one.deadline.by.clone(),
                        one.deadline.time_zone.clone(),
                        days(one),
                        moment(now, one.judged_at),
                        one.changed_by.clone(),
                    ]);
                }
                output.table(&table)
            })
        }
        Verb::Set(set) => {
            let said = hub.set_backup_deadline(&set.name, &set.to_wire()).await?;
            output.either(&said, |one| {
                let PutBackupDeadline { target, by, time_zone, .. } = &one.deadline;
                let (nodes, when) = (meant(&one.deadline.selector), moment(now, one.judged_at));
                output.say(&format!(
                    "`{target}` is to be backed up by {by} ({time_zone}) at {nodes}; it is judged {when}."
                ));
                Ok(())
            })
        }
        Verb::Remove { name } => {
            let removed = hub.remove_backup_deadline(&name).await?;
            output.either(&removed, |one| {
                output.say(&format!("The backup deadline `{}` is no more.", one.name));
                Ok(())
            })
        }
    }
}

impl Set {
    fn to_wire(&self) -> PutBackupDeadline {
        PutBackupDeadline {
            selector: self.selection.to_wire(),
            target: self.target.clone(),
            by: self.by.clone(),
            time_zone: self.zone.clone(),
            days: self.days.iter().map(|day| day.trim().to_owned()).collect(),
            grace_s: self.grace.map(|grace| grace.0 / 1000),
        }
    }
}

fn days(one: &BackupDeadline) -> String {
    if one.deadline.days.is_empty() { "every day".to_owned() } else { one.deadline.days.join(",") }
}
