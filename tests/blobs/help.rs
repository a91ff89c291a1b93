//! Hubs whose logs leave the database at once, tasks with a log, and what became of it.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use counterparts::S3Server;
use serde_json::json;
use sortie_rules::ids::TaskId;
use sortie_wire::deliveries::HandedTask;
use sortie_wire::logs::{LogBatch, LogPiece, LogQuery};
use stories::{HandNode, HubPlan, RunningHub, Scene, until};

/// A hub that puts logs away as soon as their task has ended.
pub(crate) fn soon(plan: HubPlan<'_>) -> HubPlan<'_> {
    plan.setting("retention.logs_in_store_h", 0)
}

/// The same, into a folder of this name in the story's own.
pub(crate) fn into_folder<'s>(scene: &'s Scene, name: &str) -> (HubPlan<'s>, PathBuf) {
    let folder = scene.folder().join(name);
    (soon(scene.hub()).setting("blobs.url", format!("file://{}", folder.display())), folder)
}

/// The same, into the bucket of a server that is reached at this address.
pub(crate) fn into_bucket<'s>(scene: &'s Scene, server: &S3Server, address: &str) -> HubPlan<'s> {
    soon(scene.hub())
        .setting("blobs.url", format!("s3://{}/hub", server.bucket()))
        .setting("blobs.endpoint", address)
        .setting("blobs.credentials_file", server.keys_file().display())
}

/// Sends a part of a task's log.
pub(crate) async fn say(node: &HandNode, task: &HandedTask, offset: u64, bytes: &[u8]) {
    for (count, part) in bytes.chunks(128 << 10).enumerate() {
        let offset = offset + (count * (128 << 10)) as u64;
        let data = STANDARD.encode(part);
        let piece = LogPiece { task: task.id, run: task.run, offset, data, progress: None };
        let answer = node.line().logs(node.id, &LogBatch { pieces: vec![piece] }).await.expect("it is answered");
        assert_eq!(answer.receipts[0].next, offset + part.len() as u64, "all of it is taken");
    }
}

/// A task of a node that has said this and ended.
pub(crate) async fn ended_with(hub: &RunningHub<'_>, node: &HandNode, name: &str, log: &[u8]) -> TaskId {
    ended_later(hub, node, name, log).await.id
}

/// The same, with what the node was handed.
pub(crate) async fn ended_later(hub: &RunningHub<'_>, node: &HandNode, name: &str, log: &[u8]) -> HandedTask {
    let id = hub.submit(name, "sleep", json!({ "ms": 0 })).await;
    let task = node.take_one().await;
    assert_eq!(task.id, id);
    say(node, &task, 0, log).await;
    node.report(&HandNode::completed(&task, json!({ "slept_ms": 0 }))).await.expect("it is taken");
    task
}

/// A hub with a node, and a task of it that has said `one` and whose log is archived.
pub(crate) async fn with_an_archived_log(plan: HubPlan<'_>) -> (RunningHub<'_>, HandNode, TaskId) {
    let hub = plan.start().await;
    let node = hub.hand_node("north").await;
    let task = ended_with(&hub, &node, "north", b"one\n").await;
    until_archived(hub.plan(), task).await;
    (hub, node, task)
}

/// Waits until a task's log is in a blob, and nothing of it in the database.
pub(crate) async fn until_archived(plan: &HubPlan<'_>, task: TaskId) {
    until("the log is put away", async || (is_archived(plan, task) && pieces(plan, task) == 0).then_some(())).await;
}

/// Whether it is.
pub(crate) fn is_archived(plan: &HubPlan<'_>, task: TaskId) -> bool {
    count(plan, &format!("task_log_archives where task = '{task}'")) == 1
}

/// How many pieces of a log are in the database.
pub(crate) fn pieces(plan: &HubPlan<'_>, task: TaskId) -> u64 {
    count(plan, &format!("task_logs where task = '{task}'"))
}

/// How many rows.
pub(crate) fn count(plan: &HubPlan<'_>, from: &str) -> u64 {
    plan.sql(&format!("select count(*) from {from}"))[0].parse().expect("a number")
}

/// A task's whole log, part by part, as people read it.
pub(crate) async fn log_of(hub: &RunningHub<'_>, task: TaskId) -> Vec<u8> {
    let mut all = Vec::new();
    loop {
        let query = LogQuery { run: None, offset: Some(all.len() as u64), wait_s: Some(20) };
        let part = hub.people().task_log(task, &query).await.expect("an administrator may read logs");
        assert_eq!(part.offset, all.len() as u64);
        all.extend(STANDARD.decode(&part.data).expect("base64"));
        if part.complete {
            return all;
        }
    }
}

/// The blobs in a folder, without its mark.
pub(crate) fn blobs_in(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("it is there").flatten() {
            match entry.path() {
                path if path.is_dir() => folders.push(path),
                path if path.ends_with("sortie-blobs.json") => {}
                path => found.push(path),
            }
        }
    }
    found
}

/// What `/readyz` says: its status and its text.
pub(crate) async fn ready(hub: &RunningHub<'_>) -> (u16, String) {
    hub.operations("/readyz").await
}

/// Waits until the hub says that its blobs are away, or that they are not.
pub(crate) async fn until_away(hub: &RunningHub<'_>, away: bool) {
    until("it is seen how blobs stand", async || {
        let (status, text) = ready(hub).await;
        assert_eq!(status, 200, "it serves all the same");
        (text.contains("blobs are away") == away).then_some(())
    })
    .await;
}

/// Starts a hub that ends by itself. Returns what it said.
pub(crate) async fn refused(plan: &HubPlan<'_>) -> String {
    let mut process = plan.launch();
    let status = process.end().await;
    assert_eq!(status.code(), Some(2), "it says that it was set up wrongly: {}", process.log());
    process.log()
}

/// Bytes that no packing makes smaller.
pub(crate) fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}
