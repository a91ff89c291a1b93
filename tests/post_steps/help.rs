//! A hub whose type `trust.create` has post-steps, and a node that completes its tasks by hand.

use std::path::Path;

use counterparts::SmtpSink;
use serde_json::{Value, json};
use sortie_rules::ids::TaskId;
use sortie_wire::tasks::{PostStep, Task};
use stories::{HandNode, HubPlan, Program, RunningHub, until};

/// The secret of the webhook `portal`.
pub(crate) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A mail to each user that the result names.
pub(crate) const MAIL_STEP: &str = "[[task_types.post_steps]]\nname = \"credentials\"\nkind = \"mail\"\n\
    for_each = \"/users\"\nto = [\"{{ item.email }}\"]\ntemplate = \"mails/credentials.txt\"\n";
/// A call of the webhook `portal`.
pub(crate) const WEBHOOK_STEP: &str =
    "[[task_types.post_steps]]\nname = \"portal\"\nkind = \"webhook\"\nendpoint = \"portal\"\nwhen = \"ended\"\n";

/// Writes the pack with these post-steps into the hub's data folder.
pub(crate) fn give_type(plan: &HubPlan<'_>, steps: &str) {
    write_pack(&plan.data().join("packs/trust"), steps);
}

/// Writes the pack with these post-steps.
pub(crate) fn write_pack(folder: &Path, steps: &str) {
    Program::Sortie.run(["pack".as_ref(), "new".as_ref(), "trust".as_ref(), folder.as_os_str()]).well();
    for schema in ["payload", "result"] {
        std::fs::write(folder.join(format!("schemas/count.{schema}.json")), "{}").expect("the pack can be written");
    }
    std::fs::create_dir(folder.join("mails")).expect("the pack can be written");
    let mail = "Subject: Your access to {{ result.project }}\n\n\
                Dear {{ item.name }},\nyour password is {{ item.password }}.\n";
    std::fs::write(folder.join("mails/credentials.txt"), mail).expect("the pack can be written");
    let file = folder.join("pack.toml");
    let text = std::fs::read_to_string(&file).expect("the pack is there");
    std::fs::write(file, text.replace("trust.count", "trust.create") + "\n" + steps).expect("it can be written");
}

/// The same hub with this mail server.
pub(crate) fn with_mail<'s>(plan: HubPlan<'s>, port: u16) -> HubPlan<'s> {
    plan.setting("mail.host", "127.0.0.1")
        .setting("mail.port", port)
        .setting("mail.security", "none")
        .setting("mail.from", "Sortie <hub@sortie.example>")
}

/// The same hub with the webhook `portal` at this address.
pub(crate) fn with_portal<'s>(plan: HubPlan<'s>, url: &str) -> HubPlan<'s> {
    let secret = plan.data().with_extension("secret");
    std::fs::write(&secret, format!("{SECRET}\n")).expect("the story's folder can be written");
    plan.setting("webhooks.portal.url", url).setting("webhooks.portal.secret_file", secret.display())
}

/// Submits a task for `north` and completes it with this result.
pub(crate) async fn complete(hub: &RunningHub<'_>, node: &HandNode, result: Value) -> TaskId {
    let id = hub.submit("north", "trust.create", json!({})).await;
    let held = node.take_one().await;
    node.report(&HandNode::completed(&held, result)).await.expect("it is taken");
    id
}

/// Two users as a result names them.
pub(crate) fn users() -> Value {
    json!({ "project": "Lungs", "users": [
        { "email": "ann@trust.example", "name": "Ann", "password": "one" },
        { "email": "ben@trust.example", "name": "Ben", "password": "two" },
    ] })
}

/// The task once every step of it has ended.
pub(crate) async fn settled(hub: &RunningHub<'_>, id: TaskId) -> Task {
    until("every step has ended", async || {
        let task = hub.task(id).await;
        let over = !task.post_steps.is_empty() && task.post_steps.iter().all(|step| step.status != "pending");
        over.then_some(task)
    })
    .await
}

/// A step of a task.
pub(crate) fn step<'t>(task: &'t Task, name: &str, item: u32) -> &'t PostStep {
    let found = task.post_steps.iter().find(|step| (step.name.as_str(), step.item) == (name, item));
    found.unwrap_or_else(|| panic!("{name} {item} is not in {:?}", task.post_steps))
}

/// Waits until so many mails are there, and returns them.
pub(crate) async fn mails(sink: &SmtpSink, count: usize) -> Vec<String> {
    until("the mails are there", async || Some(sink.mails()).filter(|mails| mails.len() >= count)).await
}
