//! What a step is about: the task with payload and result, as templates and webhooks see it.

use serde_json::{Value, json};
use sortie_rules::ids::TaskId;
use sortie_rules::time::Millis;
use sortie_store::post_steps::StepRow;
use sortie_store::{nodes, tasks};

use crate::app::App;
use crate::fault::Fault;

/// What a step is about.
#[derive(Debug, Clone)]
pub(super) struct Matter {
    pub(super) task: TaskId,
    pub(super) type_name: String,
    pub(super) node_id: String,
    pub(super) node: String,
    pub(super) site: Option<String>,
    pub(super) status: &'static str,
    pub(super) code: Option<String>,
    pub(super) message: Option<String>,
    pub(super) run: u32,
    pub(super) submitted_by: String,
    pub(super) finished_at: Millis,
    pub(super) payload: Value,
    pub(super) result: Value,
    /// The item of the list that the step is for.
    pub(super) item: Value,
}

impl Matter {
    /// Reads it. `None` if the task is gone.
    pub(super) async fn read(app: &App, row: &StepRow) -> Result<Option<Matter>, Fault> {
        let (org, id) = (row.org, row.task);
        let task = app.store.read(move |tx| Box::pin(async move { tasks::get(tx, org, id).await })).await?;
        let Some(task) = task else { return Ok(None) };
        let node_id = task.node;
        let node = app.store.read(move |tx| Box::pin(async move { nodes::get(tx, org, node_id).await })).await?;
        let broken = |error: serde_json::Error| Fault::Broken(format!("task {id}: {error}"));
        let result = task.result.as_deref().map(serde_json::from_str).transpose().map_err(broken)?;
        let code = crate::tasks::code_of(&task.life.state);
        Ok(Some(Matter {
            task: id,
            node_id: task.node.to_string(),
            node: node.as_ref().map(|node| node.name.clone()).unwrap_or_default(),
            site: node.and_then(|node| node.site),
            status: task.life.state.status().as_str(),
            code: code.map(|code| code.0),
            run: task.life.run,
            finished_at: task.finished_at.unwrap_or(task.submitted_at),
            payload: serde_json::from_str(&task.payload).map_err(broken)?,
            result: result.unwrap_or_default(),
            item: Value::Null,
            type_name: task.type_name,
            message: task.message,
            submitted_by: task.submitted_by,
        }))
    }

    /// The same about one item of the list that `pointer` names in the result.
    pub(super) fn about_item(mut self, pointer: &str, item: u32) -> Matter {
        let list = self.result.pointer(pointer).and_then(Value::as_array);
        let found = list.and_then(|list| list.get(usize::try_from(item).ok()?.checked_sub(1)?));
        self.item = found.cloned().unwrap_or_default();
        self
    }

    /// As templates see it.
    pub(super) fn to_json(&self) -> Value {
        json!({ "task": self.task_json(), "payload": self.payload, "result": self.result, "item": self.item })
    }

    /// The task without payload and result.
    pub(super) fn task_json(&self) -> Value {
        json!({
            "id": self.task, "type": self.type_name, "node": self.node, "node_id": self.node_id, "site": self.site,
            "status": self.status, "code": self.code, "message": self.message, "run": self.run,
            "submitted_by": self.submitted_by, "finished_at": self.finished_at,
        })
    }
}
