//! The demo's tasks: what is asked, and asking it so that it is asked once.

use std::path::Path;

use serde_json::{Value, json};
use sortie_client::people::Hub;
use sortie_rules::ids::TaskId;
use sortie_wire::tasks::{SubmitBatch, SubmitTask};

use super::fleet::Fleet;
use crate::exit::Failure;

/// Something to be done.
#[derive(Debug, Clone)]
pub(super) struct Wish {
    /// The name under which it is submitted, once, however often it is sent.
    key: String,
    node: &'static str,
    type_name: &'static str,
    payload: Value,
    /// The line that it is to write.
    line: Option<String>,
}

/// Something that the hub has acknowledged.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    /// The task's id.
    pub(super) id: TaskId,
    /// The line that it is to write.
    pub(super) line: Option<String>,
}

impl Wish {
    fn new(key: String, node: &'static str, type_name: &'static str, payload: Value) -> Wish {
        Wish { key, node, type_name, payload, line: None }
    }

    /// What is there to know of the machine.
    pub(super) fn sys_info(node: &'static str) -> Wish {
        Wish::new(format!("demo-info-{node}"), node, "sys.info", json!({}))
    }

    /// The checksum of a folder, which is called `what`.
    pub(super) fn checksum(node: &'static str, what: &str, path: &Path) -> Wish {
        Wish::new(format!("demo-checksum-{node}-{what}"), node, "file.checksum", json!({ "path": path }))
    }

    /// Whether a service answers.
    pub(super) fn http_check(node: &'static str, url: &str) -> Wish {
        Wish::new(format!("demo-http-{node}"), node, "http.check", json!({ "url": url }))
    }

    /// Work that takes its time and may be repeated.
    pub(super) fn sleep(node: &'static str, ms: u32, note: &str) -> Wish {
        let payload = json!({ "ms": ms, "note": note });
        Wish::new(format!("demo-sleep-{node}-{note}"), node, "sleep", payload)
    }

    /// A line in the place's journal: work that must not be done twice.
    pub(super) fn append(node: &'static str, fleet: &Fleet, chapter: &str, number: usize) -> Wish {
        let line = format!("{chapter} {number:03} at {node}");
        let payload = json!({ "path": journal(fleet, node), "line": line });
        let wish = Wish::new(format!("demo-append-{node}-{chapter}-{number}"), node, "file.append", payload);
        Wish { line: Some(line), ..wish }
    }

    /// Asks for it until it is acknowledged. However often it is sent, it becomes one task.
    pub(super) async fn submit(self, hub: &Hub) -> Result<Asked, Failure> {
        let submitted = hub.submit(&self.to_wire()?, Some(&self.key)).await?;
        Ok(Asked { id: submitted.id, line: self.line })
    }

    fn to_wire(&self) -> Result<SubmitTask, Failure> {
        let payload = serde_json::value::to_raw_value(&self.payload)
            .map_err(|error| Failure::other(format!("a payload cannot be written: {error}")))?;
        Ok(SubmitTask {
            type_name: self.type_name.to_owned(),
            node: self.node.to_owned(),
            payload: Some(payload),
            priority: None,
            not_before: None,
            not_after: None,
            max_retries: None,
            lease: None,
        })
    }
}

/// Asks for all of them at once: all are acknowledged, or none.
pub(super) async fn submit_all(key: &str, wishes: Vec<Wish>, hub: &Hub) -> Result<Vec<Asked>, Failure> {
    let tasks = wishes.iter().map(Wish::to_wire).collect::<Result<Vec<_>, _>>()?;
    let submitted = hub.submit_batch(&SubmitBatch { tasks }, Some(key)).await?;
    Ok(submitted.tasks.iter().zip(wishes).map(|(task, wish)| Asked { id: task.id, line: wish.line }).collect())
}

/// The file into which a place's lines are written.
pub(super) fn journal(fleet: &Fleet, node: &str) -> std::path::PathBuf {
    fleet.files(node).join("journal.txt")
}
