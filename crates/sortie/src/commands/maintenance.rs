//! `sortie maintenance`: times in which nobody is told what begins at some nodes.

use clap::{Args, Subcommand};
use sortie_client::people::Hub;
use sortie_rules::ids::MaintenanceId;
use sortie_rules::time::{Millis, Span};
use sortie_wire::maintenance::{Maintenance, MaintenanceQuery, MaintenanceState, StartMaintenance};

use super::pages::{Pages, tell_rest};
use super::selection::{Selection, meant};
use crate::context::Context;
use crate::exit::Done;
use crate::find_hub::HubOptions;
use crate::output::{Output, Table, moment};
use crate::values::When;

/// What `sortie maintenance` takes.
#[derive(Debug, Args)]
pub(crate) struct MaintenanceCommand {
    #[command(flatten)]
    hub: HubOptions,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Announce maintenance, from now on or later
    Start(Start),
    /// List what is to come and under way; --all shows what is over, too
    #[command(after_help = "Example: sortie maintenance list")]
    List {
        #[command(flatten)]
        pages: Pages,
    },
    /// End it before its time, or call it off: what began meanwhile and still stands is told
    #[command(after_help = "Example: sortie maintenance end 01980c5e-7d1a-7c3e-9b7e-0123456789ab")]
    End {
        /// Its id, as `sortie maintenance list` shows it
        id: MaintenanceId,
    },
}

/// What is announced.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  sortie maintenance start --node box-7 --for 2h --reason \"new disks\"\n  \
                        sortie maintenance start --site north --from 2026-03-01T22:00:00Z \\\n      \
                        --until 2026-03-02T04:00:00Z --reason \"new switch\"\n\n\
                        Alarms begin and end as ever; that one begins is told when the maintenance is over, if it \
                        still stands then.")]
struct Start {
    #[command(flatten)]
    selection: Selection,
    /// Why, in a few words
    #[arg(long)]
    reason: String,
    /// For how long: 2h, 90m; at most 30 days
    #[arg(long = "for", value_name = "SPAN", required_unless_present = "until", conflicts_with = "until")]
    lasts: Option<Span>,
    /// Until when: 2026-03-01T09:00:00Z, or +2h from now
    #[arg(long, value_name = "WHEN")]
    until: Option<When>,
    /// From when on [default: now]
    #[arg(long, value_name = "WHEN")]
    from: Option<When>,
}

/// Does it.
pub(crate) async fn run(command: MaintenanceCommand, context: &Context) -> Done {
    let (hub, output, now) = (context.hub(&command.hub)?, context.output, context.clock.now());
    match command.verb {
        Verb::Start(start) => {
            let started = hub.start_maintenance(&start.to_wire(now)).await?;
            output.either(&started, |one| {
                let (from, until) = (moment(now, one.from), moment(now, one.until));
                let when = match one.state {
                    MaintenanceState::Coming => format!("from {from} until {until}"),
                    MaintenanceState::Current | MaintenanceState::Over => format!("until {until}"),
                };
                output.say(&format!("Nobody is told what begins at {} {when}.", meant(&one.selector)));
                output.line(&one.id.to_string())
            })
        }
        Verb::List { pages } => list(pages, &hub, output, now).await,
        Verb::End { id } => {
            let ended = hub.end_maintenance(id).await?;
            output.either(&ended, |one| {
                output.say(&format!("The maintenance of {} is over.", meant(&one.selector)));
                Ok(())
            })
        }
    }
}

impl Start {
    fn to_wire(&self, now: Millis) -> StartMaintenance {
        StartMaintenance {
            reason: self.reason.clone(),
            selector: self.selection.to_wire(),
            from: self.from.map(|when| when.resolve(now)),
            until: self.until.map(|when| when.resolve(now)),
            lasts: self.lasts,
        }
    }
}

async fn list(pages: Pages, hub: &Hub, output: Output, now: Millis) -> Done {
    let page = pages
        .read(|after, limit| {
            let after = after.and_then(|after| after.parse().ok());
            let (hub, over) = (hub.clone(), pages.wants_all());
            async move { hub.maintenances(&MaintenanceQuery { over, after, limit }).await }
        })
        .await?;
    output.either(&page, |page| {
        tell_rest(page, "There is no maintenance.", output);
        if page.items.is_empty() {
            return Ok(());
        }
        let mut table = Table::new(["id", "state", "nodes", "from", "until", "by", "reason"]);
        for one in &page.items {
            table.row([
                one.id.to_string(),
                one.state.as_str().to_owned(),
                meant(&one.selector),
                moment(now, one.from),
                moment(now, ends(one)),
                one.made_by.clone(),
                one.reason.clone(),
            ]);
        }
        output.table(&table)
    })
}

/// When it is over, or was ended.
fn ends(one: &Maintenance) -> Millis {
    one.ended_at.map_or(one.until, |at| at.min(one.until))
}
