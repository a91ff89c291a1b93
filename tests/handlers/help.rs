//! A hub with a task type of any payload and result, and a site whose policy runs a script for it.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use serde_json::Value;
use sortie_wire::tasks::Task;
use stories::{Program, RunningAgent, RunningHub, Scene, Site, until};

/// The type that these stories submit.
pub(crate) const TYPE: &str = "open.count";

/// A hub, a site and its agent.
pub(crate) struct Stage<'s> {
    pub(crate) hub: RunningHub<'s>,
    pub(crate) site: Site<'s>,
    pub(crate) agent: RunningAgent,
}

/// A hub that knows [`TYPE`], and a site that runs it by this script, with these lines in the policy's
/// table.
pub(crate) async fn stage<'s>(scene: &'s Scene, script: &str, limits: &str) -> Stage<'s> {
    let hub = open_hub(scene).await;
    let site = hub.site("north").await;
    set_script(&site, script, limits);
    let agent = site.start();
    let people = hub.people();
    // From then on a change of the policy is one.
    until("the agent is heard", async || people.node("north").await.expect("it has enrolled").heard_at.map(drop)).await;
    Stage { hub, site, agent }
}

/// A hub that knows [`TYPE`].
pub(crate) async fn open_hub(scene: &Scene) -> RunningHub<'_> {
    let plan = scene.hub();
    let folder = plan.data().join("packs/open");
    Program::Sortie.run(["pack".as_ref(), "new".as_ref(), "open".as_ref(), folder.as_os_str()]).well();
    for schema in ["payload", "result"] {
        std::fs::write(folder.join(format!("schemas/count.{schema}.json")), "{}").expect("the pack can be written");
    }
    plan.start().await
}

/// The script of a site.
pub(crate) fn script_of(site: &Site<'_>) -> PathBuf {
    site.files().join("handler")
}

/// Makes a site run this script.
pub(crate) fn set_script(site: &Site<'_>, script: &str, limits: &str) {
    let path = script_of(site);
    std::fs::write(&path, script).expect("the story's folder can be written");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("it is ours");
    site.set_policy(&format!("[handlers.\"{TYPE}\"]\nkind = \"command\"\nprogram = {path:?}\n{limits}\n"));
}

impl Stage<'_> {
    /// What becomes of a task with this payload.
    pub(crate) async fn done(&self, payload: Value) -> Task {
        let id = self.hub.submit("north", TYPE, payload).await;
        self.hub.ended(id).await
    }

    /// That a task fails with this code, and a message that says this.
    pub(crate) async fn fails(&self, payload: Value, code: &str, said: &str) -> Task {
        let task = self.done(payload).await;
        let (found, message) =
            (task.summary.code.clone().map(|code| code.0), task.summary.message.clone().unwrap_or_default());
        assert_eq!(found.as_deref(), Some(code), "{message}");
        assert!(message.contains(said), "`{said}` is not said: {message}");
        task
    }

    /// How much memory the agent has in use, in KiB.
    pub(crate) fn agent_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.agent.process.id())).expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a process has memory");
        line.trim().trim_end_matches(" kB").parse().expect("a number")
    }
}
