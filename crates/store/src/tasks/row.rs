//! A task as it is read: whole, for lists, and reduced to what decisions need.

use sortie_rules::ids::{JobId, NodeId, OrgId, TaskId};
use sortie_rules::tasks::Task;
use sortie_rules::time::Millis;

use super::columns;
use crate::errors::StoreError;
use crate::row::Row;

/// A whole task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskRow {
    /// Its id.
    pub id: TaskId,
    /// Whose it is.
    pub org: OrgId,
    /// The node that is to do it; of the same org.
    pub node: NodeId,
    /// What sort of work it is.
    pub type_name: String,
    /// Higher goes first.
    pub priority: i32,
    /// What the work is about, as JSON.
    pub payload: String,
    /// Whether the work may be done again after a crash cut it.
    pub idempotent: bool,
    /// Who submitted it.
    pub submitted_by: String,
    /// When.
    pub submitted_at: Millis,
    /// The trace that it belongs to.
    pub traceparent: Option<String>,
    /// The job that it belongs to.
    pub job: Option<JobId>,
    /// What operators signed, as JSON, if it is an operation.
    pub operation: Option<String>,
    /// Where it stands.
    pub life: Task,
    /// The delivery of its node that last carried it; 0 if none did.
    pub delivery: u64,
    /// When it was last handed out. Kept when it ends, cleared when it goes back to the queue.
    pub claimed_at: Option<Millis>,
    /// When it ended.
    pub finished_at: Option<Millis>,
    /// What was last said about it: why it ended so, or why it is back in the queue.
    pub message: Option<String>,
    /// What the work gave, as JSON. Only a completed task has one.
    pub result: Option<String>,
    /// The digest of the agent's report that ended it, to know that report when it comes again.
    pub result_digest: Option<Vec<u8>>,
}

/// A task in a list: without its payload and its result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskSummary {
    /// Its id.
    pub id: TaskId,
    /// The node that is to do it.
    pub node: NodeId,
    /// What sort of work it is.
    pub type_name: String,
    /// Higher goes first.
    pub priority: i32,
    /// Whether the work may be done again after a crash cut it.
    pub idempotent: bool,
    /// Who submitted it.
    pub submitted_by: String,
    /// When.
    pub submitted_at: Millis,
    /// The trace that it belongs to.
    pub traceparent: Option<String>,
    /// The job that it belongs to.
    pub job: Option<JobId>,
    /// Where it stands.
    pub life: Task,
    /// When it was last handed out.
    pub claimed_at: Option<Millis>,
    /// When it ended.
    pub finished_at: Option<Millis>,
    /// What was last said about it.
    pub message: Option<String>,
}

/// A task as far as decisions and their events need it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskLife {
    /// Its id.
    pub id: TaskId,
    /// Whose it is.
    pub org: OrgId,
    /// The node that is to do it.
    pub node: NodeId,
    /// What sort of work it is.
    pub type_name: String,
    /// Where it stands.
    pub life: Task,
    /// The delivery of its node that last carried it; 0 if none did.
    pub delivery: u64,
    /// Whether the work may be done again after a crash cut it.
    pub idempotent: bool,
    /// The digest of the agent's report that ended it.
    pub result_digest: Option<Vec<u8>>,
    /// The trace that it belongs to.
    pub traceparent: Option<String>,
    /// Whether operators have signed it.
    pub is_operation: bool,
}

macro_rules! task_columns {
    () => {
        concat!(
            "id, org, node, type_name, priority, payload, idempotent, submitted_by, submitted_at, traceparent, job, \
             operation, ",
            $crate::tasks::columns::life_columns!(),
            ", delivery, claimed_at, finished_at, message, result, result_digest"
        )
    };
}
pub(super) use task_columns;

pub(super) fn read(row: Row) -> Result<TaskRow, StoreError> {
    let mut row = row.columns("tasks");
    Ok(TaskRow {
        id: row.id("id")?,
        org: row.id("org")?,
        node: row.id("node")?,
        type_name: row.text("type_name")?,
        priority: row.number("priority")?,
        payload: row.text("payload")?,
        idempotent: row.flag("idempotent")?,
        submitted_by: row.text("submitted_by")?,
        submitted_at: row.millis("submitted_at")?,
        traceparent: row.text_or_none("traceparent")?,
        job: row.id_or_none("job")?,
        operation: row.text_or_none("operation")?,
        life: columns::read(&mut row)?,
        delivery: row.number("delivery")?,
        claimed_at: row.millis_or_none("claimed_at")?,
        finished_at: row.millis_or_none("finished_at")?,
        message: row.text_or_none("message")?,
        result: row.text_or_none("result")?,
        result_digest: row.bytes_or_none("result_digest")?,
    })
}

macro_rules! summary_columns {
    () => {
        concat!(
            "id, node, type_name, priority, idempotent, submitted_by, submitted_at, traceparent, job, ",
            $crate::tasks::columns::life_columns!(),
            ", claimed_at, finished_at, message"
        )
    };
}
pub(super) use summary_columns;

pub(super) fn read_summary(row: Row) -> Result<TaskSummary, StoreError> {
    let mut row = row.columns("tasks");
    Ok(TaskSummary {
        id: row.id("id")?,
        node: row.id("node")?,
        type_name: row.text("type_name")?,
        priority: row.number("priority")?,
        idempotent: row.flag("idempotent")?,
        submitted_by: row.text("submitted_by")?,
        submitted_at: row.millis("submitted_at")?,
        traceparent: row.text_or_none("traceparent")?,
        job: row.id_or_none("job")?,
        life: columns::read(&mut row)?,
        claimed_at: row.millis_or_none("claimed_at")?,
        finished_at: row.millis_or_none("finished_at")?,
        message: row.text_or_none("message")?,
    })
}

macro_rules! life_row_columns {
    () => {
        concat!(
            "id, org, node, type_name, ",
            $crate::tasks::columns::life_columns!(),
            ", delivery, idempotent, result_digest, traceparent,
             cast(case when operation is null then 0 else 1 end as bigint)"
        )
    };
}
pub(super) use life_row_columns;

pub(super) fn read_life(row: Row) -> Result<TaskLife, StoreError> {
    let mut row = row.columns("tasks");
    Ok(TaskLife {
        id: row.id("id")?,
        org: row.id("org")?,
        node: row.id("node")?,
        type_name: row.text("type_name")?,
        life: columns::read(&mut row)?,
        delivery: row.number("delivery")?,
        idempotent: row.flag("idempotent")?,
        result_digest: row.bytes_or_none("result_digest")?,
        traceparent: row.text_or_none("traceparent")?,
        is_operation: row.flag("operation")?,
    })
}
