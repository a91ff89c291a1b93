//! A hub with a type of any payload, and a site whose policy runs a script for it.

use std::os::unix::fs::PermissionsExt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sortie_rules::ids::TaskId;
use sortie_wire::logs::{LogPart, LogQuery};
use stories::{HubPlan, Program, RunningHub, Site};

/// The type that these stories submit.
pub(crate) const TYPE: &str = "open.count";

/// Gives a hub that does not run yet the type [`TYPE`]. `secrets` is a TOML list.
pub(crate) fn give_type(plan: &HubPlan<'_>, secrets: &str) {
    let folder = plan.data().join("packs/open");
    Program::Sortie.run(["pack".as_ref(), "new".as_ref(), "open".as_ref(), folder.as_os_str()]).well();
    let payload = r#"{"properties": {"password": {}, "users": {"items": {"properties": {"key": {}}}}}}"#;
    for (schema, text) in [("payload", payload), ("result", "{}")] {
        std::fs::write(folder.join(format!("schemas/count.{schema}.json")), text).expect("the pack can be written");
    }
    let file = folder.join("pack.toml");
    let text = std::fs::read_to_string(&file).expect("the pack is there");
    std::fs::write(file, text.replace("secrets = []", &format!("secrets = {secrets}"))).expect("it can be written");
}

/// Makes a site run this script.
pub(crate) fn set_script(site: &Site<'_>, script: &str) {
    let path = site.files().join("handler");
    std::fs::write(&path, script).expect("the story's folder can be written");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("it is ours");
    site.set_policy(&format!("[handlers.\"{TYPE}\"]\nkind = \"command\"\nprogram = {path:?}\n"));
}

/// A part of a task's log, and its bytes.
pub(crate) async fn part(hub: &RunningHub<'_>, id: TaskId, offset: u64, wait_s: Option<u32>) -> (LogPart, Vec<u8>) {
    let query = LogQuery { run: None, offset: Some(offset), wait_s };
    let part = hub.people().task_log(id, &query).await.expect("an administrator may read logs");
    let bytes = STANDARD.decode(&part.data).expect("base64");
    assert_eq!(part.next - part.offset, bytes.len() as u64);
    (part, bytes)
}

/// The whole log of a task, once it is whole.
pub(crate) async fn whole(hub: &RunningHub<'_>, id: TaskId) -> Vec<u8> {
    let mut all = Vec::new();
    loop {
        let (part, bytes) = part(hub, id, all.len() as u64, Some(20)).await;
        all.extend(bytes);
        if part.complete {
            return all;
        }
    }
}
