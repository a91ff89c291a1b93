//! `sortie task submit`: one task for one node.

use clap::Args;
use sortie_rules::limits::{PRIORITY_MAX, RETRIES_MAX};
use sortie_rules::time::Span;
use sortie_wire::tasks::SubmitTask;

use super::await_end::{Patience, await_end};
use super::shown::told_end;
use crate::context::Context;
use crate::exit::{Done, Failure};
use crate::find_hub::HubOptions;
use crate::values::{When, read_payload};

/// What it takes.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  sortie task submit sys.info --node box-17 --wait\n  \
                        sortie task submit file.checksum --node box-17 --payload '{\"path\": \"/srv/data\"}'\n  \
                        sortie task submit COHORT_QUERY --node trust-north --payload @query.json --not-after +2h")]
pub(super) struct Submit {
    /// The task type, as `sortie task types` lists it
    #[arg(value_name = "TYPE")]
    type_name: String,
    /// The node that shall do it
    #[arg(long, value_name = "NAME|ID")]
    node: String,
    /// What the handler gets: JSON, @FILE, or - for stdin [default: {}]
    #[arg(long, value_name = "JSON|@FILE|-")]
    payload: Option<String>,
    /// Higher goes first, -100 to 100 [default: 0]
    #[arg(long, allow_negative_numbers = true, value_parser = clap::value_parser!(i32).range(priorities()))]
    priority: Option<i32>,
    /// Not handed out before: 2026-03-01T09:00:00Z, or +10m from now
    #[arg(long, value_name = "WHEN")]
    not_before: Option<When>,
    /// Not begun after: 2026-03-01T09:00:00Z, or +10m from now
    #[arg(long, value_name = "WHEN")]
    not_after: Option<When>,
    /// How often it is tried again after a failure [default: the type's]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(0..=i64::from(RETRIES_MAX)))]
    max_retries: Option<u32>,
    /// How long a claim lasts without a heartbeat, for example 5m [default: the type's]
    #[arg(long, value_name = "SPAN")]
    lease: Option<Span>,
    /// An Idempotency-Key: the same key submits the same task once, however often this is run
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// Wait until the task ends and print its result
    #[arg(long)]
    wait: bool,
    /// Wait no longer than this, for example 10m; without end if absent
    #[arg(long, value_name = "SPAN", requires = "wait")]
    timeout: Option<Span>,
}

fn priorities() -> std::ops::RangeInclusive<i64> {
    i64::from(-PRIORITY_MAX)..=i64::from(PRIORITY_MAX)
}

/// Submits it, and waits for its end if asked to.
pub(super) async fn run(submit: Submit, options: &HubOptions, context: &Context) -> Done {
    let task = submit.to_wire(context)?;
    let submitted = context.hub(options)?.submit(&task, submit.key.as_deref()).await?;
    let output = context.output;
    if !submit.wait {
        return output.either(&submitted, |submitted| {
            output.say(&format!("Submitted for `{}`, {}.", task.node, submitted.status.as_str()));
            output.line(&submitted.id.to_string())
        });
    }
    let patience = Patience { timeout: submit.timeout, spinner: format!("{} at {}", task.type_name, task.node) };
    let ended = await_end(&context.patient_hub(options)?, submitted.id, patience, context).await?;
    told_end(&ended, context)
}

impl Submit {
    fn to_wire(&self, context: &Context) -> Result<SubmitTask, Failure> {
        let now = context.clock.now();
        Ok(SubmitTask {
            type_name: self.type_name.clone(),
            node: self.node.clone(),
            payload: self.payload.as_deref().map(read_payload).transpose()?,
            priority: self.priority,
            not_before: self.not_before.map(|when| when.resolve(now)),
            not_after: self.not_after.map(|when| when.resolve(now)),
            max_retries: self.max_retries,
            lease: self.lease,
        })
    }
}
