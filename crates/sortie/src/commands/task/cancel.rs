//! `sortie task cancel`: calls a task off.

use sortie_client::people::Hub;
use sortie_rules::ids::TaskId;

use crate::context::Context;
use crate::exit::Done;

/// Asks the hub to.
pub(super) async fn run(id: TaskId, hub: &Hub, context: &Context) -> Done {
    let task = hub.cancel_task(id).await?;
    let output = context.output;
    output.either(&task, |task| {
        if task.status.is_terminal() {
            output.say(&format!("The task is {}.", task.status.as_str()));
        } else {
            let next = context.next_command(&format!("task watch {id}"));
            output.say(&format!("The agent on `{}` is asked to stop. `{next}`", task.node_name));
        }
        Ok(())
    })
}
