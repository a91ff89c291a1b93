//! `sortie task retry-step`: begins anew with what was given up after a task.

use sortie_client::people::Hub;
use sortie_rules::ids::TaskId;

use super::show::told_steps;
use crate::context::Context;
use crate::exit::Done;

/// Asks for it, and shows the task's steps.
pub(super) async fn run(id: TaskId, name: &str, hub: &Hub, context: &Context) -> Done {
    let steps = hub.retry_post_step(id, name).await?;
    context.output.either(&steps, |steps| context.output.table(&told_steps(steps, context.clock.now())))
}
