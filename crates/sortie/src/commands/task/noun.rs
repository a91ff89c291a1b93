//! The verbs of `sortie task`.

use clap::{Args, Subcommand};
use sortie_rules::ids::TaskId;

use super::{cancel, list, log, requeue, retry_step, show, submit, types, watch};
use crate::context::Context;
use crate::exit::Done;
use crate::find_hub::HubOptions;

/// What `sortie task` takes.
#[derive(Debug, Args)]
pub(crate) struct TaskCommand {
    #[command(flatten)]
    hub: HubOptions,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Submit a task; its id is printed, or with --wait its result
    Submit(submit::Submit),
    /// List tasks, newest first
    List(list::List),
    /// Show a task with its payload and result
    #[command(after_help = "Example: sortie task show 01980c5e-7d1a-7c3e-9b7e-0123456789ab")]
    Show(OneTask),
    /// Follow a task until it ends
    Watch(watch::Watch),
    /// Print what a task's handler wrote, while it runs or afterwards
    Log(log::Log),
    /// Call a task off: in the queue that ends it, under way its agent is asked to stop
    #[command(after_help = "Example: sortie task cancel 01980c5e-7d1a-7c3e-9b7e-0123456789ab")]
    Cancel(OneTask),
    /// Put a task that ended without completing back into the queue
    #[command(after_help = "Example: sortie task requeue 01980c5e-7d1a-7c3e-9b7e-0123456789ab")]
    Requeue(OneTask),
    /// Begin anew with a post-step that was given up
    #[command(after_help = "Example: sortie task retry-step 01980c5e-7d1a-7c3e-9b7e-0123456789ab credentials")]
    RetryStep {
        /// The task's id
        id: TaskId,
        /// The step's name, as `sortie task show` has it
        name: String,
    },
    /// List the task types, or show one with its schemas
    Types(types::Types),
}

/// The argument of verbs that are about one task.
#[derive(Debug, Args)]
struct OneTask {
    /// The task's id
    id: TaskId,
}

/// Does it.
pub(crate) async fn run(command: TaskCommand, context: &Context) -> Done {
    let options = &command.hub;
    match command.verb {
        Verb::Submit(submit) => submit::run(submit, options, context).await,
        Verb::List(list) => list::run(list, &context.hub(options)?, context).await,
        Verb::Show(one) => show::run(one.id, &context.hub(options)?, context).await,
        Verb::Watch(watch) => watch::run(watch, &context.patient_hub(options)?, context).await,
        Verb::Log(log) => log::run(log, &context.patient_hub(options)?, context).await,
        Verb::Cancel(one) => cancel::run(one.id, &context.hub(options)?, context).await,
        Verb::Requeue(one) => requeue::run(one.id, &context.hub(options)?, context).await,
        Verb::RetryStep { id, name } => retry_step::run(id, &name, &context.hub(options)?, context).await,
        Verb::Types(types) => types::run(types, &context.hub(options)?, context).await,
    }
}
