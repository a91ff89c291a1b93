//! `sortie task requeue`: puts a task that ended without completing back into the queue.

use sortie_client::people::Hub;
use sortie_rules::ids::TaskId;

use crate::context::Context;
use crate::exit::Done;

/// Asks the hub to.
pub(super) async fn run(id: TaskId, hub: &Hub, context: &Context) -> Done {
    let task = hub.requeue_task(id).await?;
    let output = context.output;
    output.either(&task, |task| {
        output.say(&format!("Back in the queue for `{}`, as run {}.", task.node_name, task.run));
        Ok(())
    })
}
