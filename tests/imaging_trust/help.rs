//! A hub with the pack, and a site that is set up as the pack's README says.

use std::path::{Path, PathBuf};
use std::process::Command;

use counterparts::SmtpSink;
use serde_json::Value;
use sortie_wire::tasks::Task;
use stories::{HubPlan, Program, RunningAgent, RunningHub, Scene, Site};

/// The pack's folder in this repository.
pub(crate) fn pack() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../packs/imaging-trust")
}

/// A hub with the pack.
pub(crate) fn with_pack(scene: &Scene) -> HubPlan<'_> {
    let plan = scene.hub();
    let packs = plan.data().join("packs");
    std::fs::create_dir_all(&packs).expect("the story's folder can be written");
    let copied = Command::new("cp").arg("-r").arg(pack()).arg(&packs).status().expect("cp can be run");
    assert!(copied.success());
    plan
}

/// The same with this mail server.
pub(crate) fn with_mail<'s>(plan: HubPlan<'s>, sink: &SmtpSink) -> HubPlan<'s> {
    plan.setting("mail.host", "127.0.0.1")
        .setting("mail.port", sink.port())
        .setting("mail.security", "none")
        .setting("mail.from", "Imaging <hub@sortie.example>")
}

/// A site and its agent.
pub(crate) struct Trust<'s> {
    pub(crate) site: Site<'s>,
    _agent: RunningAgent,
}

/// What the example policy names, and what stands there in the story.
pub(crate) type Changes<'c> = &'c [(&'c str, String)];

/// A site whose policy is the pack's example with these changes.
pub(crate) async fn trust<'s>(hub: &RunningHub<'s>, changes: Changes<'_>) -> Trust<'s> {
    let site = hub.site("trust-north").await;
    let mut policy = std::fs::read_to_string(pack().join("site/policy.toml")).expect("the pack has an example");
    let program = ("/usr/local/bin/sortie-cohort", Program::Cohort.path().display().to_string());
    for (from, to) in changes.iter().chain([&program]) {
        assert!(policy.contains(from), "the example names no `{from}`");
        policy = policy.replace(from, to);
    }
    site.set_policy(&policy);
    let agent = site.start();
    Trust { site, _agent: agent }
}

/// What becomes of a task.
pub(crate) async fn done(hub: &RunningHub<'_>, type_name: &str, payload: Value) -> Task {
    let id = hub.submit("trust-north", type_name, payload).await;
    hub.ended(id).await
}

/// The result of a task that completes.
pub(crate) async fn result(hub: &RunningHub<'_>, type_name: &str, payload: Value) -> Value {
    let task = done(hub, type_name, payload).await;
    task.result.unwrap_or_else(|| panic!("{:?}", task.summary))
}
