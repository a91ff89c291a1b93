//! The events of a task's life.

use sortie_rules::ids::{NodeId, OrgId, TaskId};
use sortie_rules::tasks::{Code, State, Status, Task};
use sortie_rules::time::Millis;
use sortie_store::tasks::TaskLife;
use sortie_store::{StoreError, Tx};

use crate::events::{Record, record};
use crate::operations::end;
use crate::packs::TaskTypes;
use crate::post_steps::plan;

/// Whom and what an event is about.
#[derive(Debug, Clone, Copy)]
pub(super) struct About<'a> {
    pub(super) org: OrgId,
    pub(super) node: NodeId,
    pub(super) task: TaskId,
    pub(super) type_name: &'a str,
    pub(super) actor: &'a str,
    pub(super) now: Millis,
}

impl<'a> About<'a> {
    /// Something happened to the task which has no more to tell than its name and the task's type.
    pub(super) fn happened(self, kind: &'static str) -> Record<'a> {
        self.told(kind, serde_json::json!({}))
    }

    /// Something happened to the task. Every event of a task tells its type: who reads them need not ask for it.
    fn told(self, kind: &'static str, mut data: serde_json::Value) -> Record<'a> {
        data["type"] = self.type_name.into();
        Record::new(self.org, self.now, kind, self.actor).node(self.node).task(self.task).data(&data)
    }

    /// The task was handed out.
    pub(super) fn claimed(self, life: &Task, delivery: u64) -> Record<'a> {
        let data = serde_json::json!({ "attempt": life.attempt, "run": life.run, "delivery": delivery });
        self.told("task.claimed", data)
    }

    /// A change has led to an end, or back into the queue.
    pub(super) fn changed(self, after: &Task) -> Record<'a> {
        let kind = match after.state.status() {
            Status::Pending => "task.retried",
            Status::InProgress => "task.cancel_asked",
            Status::Completed => "task.completed",
            Status::Failed => "task.failed",
            Status::Rejected => "task.rejected",
            Status::Cancelled => "task.cancelled",
            Status::Expired => "task.expired",
        };
        let data = match code(&after.state) {
            Some(code) => serde_json::json!({ "attempt": after.attempt, "run": after.run, "code": code }),
            None => serde_json::json!({ "attempt": after.attempt, "run": after.run }),
        };
        self.told(kind, data)
    }
}

/// Writes down that something happened to a task which has no more to tell than its name and the task's type.
pub(super) async fn happened(tx: &mut Tx, about: About<'_>, kind: &'static str) -> Result<(), StoreError> {
    record(tx, about.happened(kind)).await
}

/// Writes down where the hub's own change of a task has led: to an end, or back into the queue.
///
/// With an end the steps that follow it are planned, and that of an operation stands in the audit log.
pub(super) async fn changed(
    tx: &mut Tx,
    types: &TaskTypes,
    row: &TaskLife,
    after: &Task,
    (actor, now): (&str, Millis),
) -> Result<(), StoreError> {
    let about = About { org: row.org, node: row.node, task: row.id, type_name: &row.type_name, actor, now };
    plan(tx, types, (row.org, row.id, &row.type_name), after, now).await?;
    end(tx, row, after, None, now).await?;
    record(tx, about.changed(after)).await
}

/// The code of an end that has one.
pub(crate) fn code(state: &State) -> Option<Code> {
    match state {
        State::Failed { code, .. } | State::Rejected { code } => Some(code.clone()),
        State::Cancelled { .. } => Some(Code::new(Code::CANCELLED)),
        State::Expired => Some(Code::new(Code::EXPIRED)),
        State::Pending { .. } | State::InProgress { .. } | State::Completed => None,
    }
}
