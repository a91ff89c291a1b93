//! The verbs of `sortie job`.

use clap::{Args, Subcommand};
use sortie_rules::ids::JobId;

use super::{follow, list, run as run_job, show, steer};
use crate::context::Context;
use crate::exit::Done;
use crate::find_hub::HubOptions;

/// What `sortie job` takes.
#[derive(Debug, Args)]
pub(crate) struct JobCommand {
    #[command(flatten)]
    hub: HubOptions,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Run a task at each of many nodes
    Run(Box<run_job::Run>),
    /// List jobs, newest first
    List(list::List),
    /// Show a job and how each of its nodes fares
    Show(show::Show),
    /// Follow a job until it is over
    Watch(follow::Watch),
    /// Give out no more of a job's tasks; those that are out go on
    #[command(after_help = "Example: sortie job pause 01980c5e-7d1a-7c3e-9b7e-0123456789ab")]
    Pause(OneJob),
    /// Go on with a paused job
    #[command(after_help = "Example: sortie job resume 01980c5e-7d1a-7c3e-9b7e-0123456789ab")]
    Resume(OneJob),
    /// Call a job off: tasks in queues are taken back, those under way are asked to stop
    #[command(after_help = "Example: sortie job cancel 01980c5e-7d1a-7c3e-9b7e-0123456789ab")]
    Cancel(OneJob),
}

/// The argument of verbs that are about one job.
#[derive(Debug, Args)]
struct OneJob {
    /// The job's id
    id: JobId,
}

/// Does it.
pub(crate) async fn run(command: JobCommand, context: &Context) -> Done {
    let options = &command.hub;
    match command.verb {
        Verb::Run(job) => run_job::run(*job, options, context).await,
        Verb::List(list) => list::run(list, &context.hub(options)?, context).await,
        Verb::Show(show) => show::run(show, &context.hub(options)?, context).await,
        Verb::Watch(watch) => follow::run(watch, &context.patient_hub(options)?, context).await,
        Verb::Pause(one) => steer::told(&context.hub(options)?.pause_job(one.id).await?, context),
        Verb::Resume(one) => steer::told(&context.hub(options)?.resume_job(one.id).await?, context),
        Verb::Cancel(one) => steer::told(&context.hub(options)?.cancel_job(one.id).await?, context),
    }
}
