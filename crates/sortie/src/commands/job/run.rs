//! `sortie job run`: a task at each of many nodes.

use clap::Args;
use sortie_rules::limits::{PRIORITY_MAX, RETRIES_MAX};
use sortie_rules::time::Span;
use sortie_wire::jobs::RunJob;

use super::follow::follow;
use crate::commands::selection::Selection;
use crate::context::Context;
use crate::exit::{Done, Failure};
use crate::find_hub::HubOptions;
use crate::values::{When, read_payload};

/// What it takes.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  sortie job run sys.info --label ring=first --watch\n  \
                        sortie job run DEPLOY_EDGE --site homes --at-a-time 20 --stop-after 5% --payload @edge.json\n  \
                        sortie job run sys.info --all --dry-run\n\n\
                        All selections that are given must hold. A node that is not there gets its task when it \
                        comes, until --not-after.")]
pub(super) struct Run {
    /// The task type, as `sortie task types` lists it
    #[arg(value_name = "TYPE")]
    type_name: String,
    #[command(flatten)]
    selection: Selection,
    /// What the handler gets: JSON, @FILE, or - for stdin [default: {}]
    #[arg(long, value_name = "JSON|@FILE|-")]
    payload: Option<String>,
    /// How many nodes may be at it at once [default: any number]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
    at_a_time: Option<u32>,
    /// Stop when so many nodes have failed or refused: 3, or 5% of them
    #[arg(long, value_name = "COUNT|SHARE%", value_parser = StopAfter::parse)]
    stop_after: Option<StopAfter>,
    /// Begin nothing after this: 2026-03-01T09:00:00Z, or +10m from now
    #[arg(long, value_name = "WHEN")]
    not_after: Option<When>,
    /// Higher goes first, -100 to 100 [default: 0]
    #[arg(long, allow_negative_numbers = true,
        value_parser = clap::value_parser!(i32).range(i64::from(-PRIORITY_MAX)..=i64::from(PRIORITY_MAX)))]
    priority: Option<i32>,
    /// How often each task is tried again after a failure [default: the type's]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(0..=i64::from(RETRIES_MAX)))]
    max_retries: Option<u32>,
    /// How long a claim lasts without a heartbeat, for example 5m [default: the type's]
    #[arg(long, value_name = "SPAN")]
    lease: Option<Span>,
    /// An Idempotency-Key: the same key begins the same job once, however often this is run
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// Say which nodes are meant, and begin nothing
    #[arg(long, conflicts_with = "watch")]
    dry_run: bool,
    /// Follow it until it is over
    #[arg(long)]
    watch: bool,
    /// Watch no longer than this, for example 10m; without end if absent
    #[arg(long, value_name = "SPAN", requires = "watch")]
    timeout: Option<Span>,
}

/// After which failures a job stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum StopAfter {
    Failures(u32),
    Percent(u32),
}

impl StopAfter {
    fn parse(text: &str) -> Result<StopAfter, String> {
        let number = |text: &str| text.parse::<u32>().ok().filter(|number| *number > 0);
        match text.strip_suffix('%') {
            Some(share) => number(share).filter(|share| *share <= 100).map(StopAfter::Percent),
            None => number(text).map(StopAfter::Failures),
        }
        .ok_or_else(|| "write a number of nodes from 1, or a share from 1% to 100%".to_owned())
    }
}

/// Begins it, and follows it if asked to.
pub(super) async fn run(run: Run, options: &HubOptions, context: &Context) -> Done {
    let (request, output) = (run.to_wire(context)?, context.output);
    if run.dry_run {
        let preview = context.hub(options)?.preview_job(&request).await?;
        return output.either(&preview, |preview| {
            output.say(&format!("{} would be for {}:", run.type_name, nodes(preview.nodes)));
            output.lines(preview.names.iter().cloned())?;
            let more = preview.nodes as usize - preview.names.len().min(preview.nodes as usize);
            if more > 0 {
                output.say(&format!("and {more} more."));
            }
            Ok(())
        });
    }
    let job = context.hub(options)?.run_job(&request, run.key.as_deref()).await?;
    if !run.watch {
        return output.either(&job, |job| {
            let next = context.next_command(&format!("job watch {}", job.id));
            output.say(&format!("{} begins at {}. `{next}`", run.type_name, nodes(job.nodes)));
            output.line(&job.id.to_string())
        });
    }
    output.say(&format!("{} begins at {}: {}", run.type_name, nodes(job.nodes), job.id));
    follow(job.id, run.timeout, &context.patient_hub(options)?, context).await
}

fn nodes(many: u32) -> String {
    if many == 1 { "1 node".to_owned() } else { format!("{many} nodes") }
}

impl Run {
    fn to_wire(&self, context: &Context) -> Result<RunJob, Failure> {
        let now = context.clock.now();
        let (stop_after_failures, stop_after_percent) = match self.stop_after {
            None => (None, None),
            Some(StopAfter::Failures(failures)) => (Some(failures), None),
            Some(StopAfter::Percent(share)) => (None, Some(share)),
        };
        Ok(RunJob {
            type_name: self.type_name.clone(),
            selector: self.selection.to_wire(),
            payload: self.payload.as_deref().map(read_payload).transpose()?,
            at_a_time: self.at_a_time,
            stop_after_failures,
            stop_after_percent,
            not_after: self.not_after.map(|when| when.resolve(now)),
            priority: self.priority,
            max_retries: self.max_retries,
            lease: self.lease,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_stops_after_a_number_or_a_share() {
        assert_eq!(StopAfter::parse("3"), Ok(StopAfter::Failures(3)));
        assert_eq!(StopAfter::parse("5%"), Ok(StopAfter::Percent(5)));
        for wrong in ["0", "0%", "101%", "-1", "many", "%", "5 %"] {
            assert!(StopAfter::parse(wrong).is_err(), "{wrong}");
        }
    }
}
