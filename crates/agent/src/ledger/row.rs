//! How ids and stages stand in the table.

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use sortie_rules::ids::{Id, TaskId};
use sortie_rules::ledger::Stage;
use uuid::Uuid;

/// Which run of which task: the key of the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct RunKey {
    pub(crate) task: TaskId,
    pub(crate) run: u32,
}

/// A task's id as 16 bytes.
pub(super) struct TaskColumn(pub(super) TaskId);

impl ToSql for TaskColumn {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(self.0.uuid().as_bytes().to_vec()))
    }
}

impl FromSql for TaskColumn {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let uuid = Uuid::from_slice(value.as_blob()?).map_err(FromSqlError::other)?;
        Ok(TaskColumn(Id::from_uuid(uuid)))
    }
}

/// A stage as its word.
pub(super) struct StageColumn(pub(super) Stage);

impl FromSql for StageColumn {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Stage::parse(value.as_str()?).map(StageColumn).ok_or(FromSqlError::InvalidType)
    }
}
