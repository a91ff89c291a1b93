//! `sortie state watch`: how a publication goes, until it is over.

use std::time::Duration;

use clap::Args;
use sortie_client::people::Hub;
use sortie_rules::desired::{NodeStage, PublicationStatus};
use sortie_rules::ids::PublicationId;
use sortie_rules::limits::PAGE_MAX;
use sortie_rules::time::Span;
use sortie_wire::desired::{Publication, PublicationQuery};

use super::shown::{in_words, rows, status};
use crate::commands::within::within;
use crate::context::Context;
use crate::exit::{Done, Exit, Failure};
use crate::output::{Table, clock_time, details, moment};

/// How often the publication is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Most nodes that are named at the end of one that did not go well.
const NAMED_MAX: usize = 20;

/// What it takes.
#[derive(Debug, Args)]
#[command(after_help = "Example: sortie state watch 01980c5e-7d1a-7c3e-9b7e-0123456789ab --timeout 1h\n\
                        With --json each change is one line. The exit code is 0 if it was completed and no node \
                        failed, else 5.")]
pub(super) struct Watch {
    /// The publication's id
    id: PublicationId,
    /// Wait no longer than this, for example 10m; without end if absent
    #[arg(long, value_name = "SPAN")]
    timeout: Option<Span>,
}

/// Follows it.
pub(super) async fn run(watch: Watch, hub: &Hub, context: &Context) -> Done {
    follow(watch.id, watch.timeout, hub, context).await
}

/// Shows how a publication goes, and at its end which nodes did not come in order.
pub(super) async fn follow(id: PublicationId, timeout: Option<Span>, hub: &Hub, context: &Context) -> Done {
    let goes_on = format!("the publication goes on: {}", context.next_command(&format!("state watch {id}")));
    let publication = within(timeout, &goes_on, until_over(id, hub, context)).await?;
    let failed = publication.counts.unwrap_or_default().failed;
    let is_well = publication.status == PublicationStatus::Completed && failed == 0;
    if !context.output.json() {
        let output = context.output;
        output.lines(details(&rows(&publication, context.clock.now()), output.colours()))?;
        output.say(&format!("It is {}.", status(publication.status, output.talk_colours())));
        if publication.at_a_time.is_none() && publication.nodes > 0 {
            output
                .say("Nobody was waited for: `sortie state node NAME` says how a node stands, and --at-a-time waits.");
        }
        if failed > 0 {
            name_failed(&publication, hub, context).await?;
        }
    }
    if is_well { Ok(()) } else { Err(Failure::Silent(Exit::NotCompleted)) }
}

async fn until_over(id: PublicationId, hub: &Hub, context: &Context) -> Result<Publication, Failure> {
    let output = context.output;
    let (mut bar, mut before) = (None, None);
    loop {
        let publication = hub.publication(id).await?;
        let counts = publication.counts.unwrap_or_default();
        if before != Some((publication.status, counts)) {
            let words = in_words(&counts);
            if output.json() {
                output.value_line(&publication)?;
            } else if output.someone_looks() {
                let bar = bar.get_or_insert_with(|| output.progress_bar(u64::from(publication.nodes)));
                let ended = counts.converged + counts.failed + counts.given + counts.taken_back + counts.skipped;
                bar.set(u64::from(ended), format!("{} · {words}", publication.status.as_str()));
            } else {
                let now = clock_time(context.clock.now());
                output.line(&format!("{now}  {:<12}  {words}", publication.status.as_str()))?;
            }
        }
        before = Some((publication.status, counts));
        if publication.status.is_terminal() {
            return Ok(publication);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Names the nodes that did not come in order in time.
async fn name_failed(publication: &Publication, hub: &Hub, context: &Context) -> Done {
    let now = context.clock.now();
    let mut table = Table::new(["node", "generation", "given", "gave up"]);
    let (mut after, mut named) = (None, 0);
    loop {
        let page = hub.publication_nodes(publication.id, &PublicationQuery { after, limit: Some(PAGE_MAX) }).await?;
        for node in page.items.iter().filter(|node| node.stage == NodeStage::Failed).take(NAMED_MAX - named) {
            table.row([
                node.node_name.clone(),
                node.generation.map(|generation| generation.to_string()).unwrap_or_default(),
                node.released_at.map(|at| moment(now, at)).unwrap_or_default(),
                node.ended_at.map(|at| moment(now, at)).unwrap_or_default(),
            ]);
            named += 1;
        }
        after = page.next.and_then(|next| next.parse().ok());
        if named == NAMED_MAX || after.is_none() {
            break;
        }
    }
    context.output.table(&table)?;
    context.output.say("`sortie state node NAME` says why a node is not in order.");
    Ok(())
}
