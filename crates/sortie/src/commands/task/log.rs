//! `sortie task log`: what the handler wrote, as it wrote it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use sortie_client::people::Hub;
use sortie_rules::ids::TaskId;
use sortie_rules::limits::WAIT_DEFAULT;
use sortie_rules::time::Span;
use sortie_wire::logs::LogQuery;

use super::await_end::goes_on;
use crate::commands::within::within;
use crate::context::Context;
use crate::exit::{Done, Failure};

/// What it takes.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  sortie task log 01980c5e-7d1a-7c3e-9b7e-0123456789ab --follow\n  \
                        sortie task log 01980c5e-7d1a-7c3e-9b7e-0123456789ab --run 1 > log\n\n\
                        The bytes come as they were written; a log need not be text. A break of the line is\n\
                        bridged without a loss. With --json each part is one line, its data in base64.")]
pub(super) struct Log {
    /// The task's id
    id: TaskId,
    /// Which run; the newest if absent
    #[arg(long)]
    run: Option<u32>,
    /// Begin at this byte
    #[arg(long, value_name = "BYTES", default_value_t = 0)]
    offset: u64,
    /// Go on until the run has ended and all of its log is here
    #[arg(long, short)]
    follow: bool,
    /// With --follow, wait no longer than this, for example 10m; without end if absent
    #[arg(long, value_name = "SPAN", requires = "follow")]
    timeout: Option<Span>,
}

/// Prints a log.
pub(super) async fn run(log: Log, hub: &Hub, context: &Context) -> Done {
    within(log.timeout, &goes_on(log.id, context), print(&log, hub, context)).await
}

async fn print(log: &Log, hub: &Hub, context: &Context) -> Done {
    let wait_s = u32::try_from(WAIT_DEFAULT.0 / 1000).ok().filter(|_| log.follow);
    let mut query = LogQuery { run: log.run, offset: Some(log.offset), wait_s };
    loop {
        let part = hub.task_log(log.id, &query).await?;
        // The run that was the newest is the one that is shown to its end.
        (query.run, query.offset) = (Some(part.run), Some(part.next));
        if part.next > part.offset {
            if context.output.json() {
                context.output.value_line(&part)?;
            } else {
                let bytes = STANDARD.decode(&part.data);
                let bytes = bytes.map_err(|error| Failure::other(format!("the hub sent no base64: {error}")))?;
                context.output.bytes(&bytes)?;
            }
        }
        if part.complete || (!log.follow && part.next == part.offset) {
            if part.next == 0 {
                context.output.say("This run has written no log.");
            }
            return Ok(());
        }
    }
}
