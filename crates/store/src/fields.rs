//! `fields`: what results said of nodes and sites. Facts.

use sortie_rules::ids::{OrgId, TaskId};
use sortie_rules::time::Millis;

use crate::errors::StoreError;
use crate::row::Row;
use crate::tx::Tx;

/// Of what a field is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holder {
    /// A node, by its id.
    Node(String),
    /// A site, by its key.
    Site(String),
}

/// A field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldRow {
    /// Its name.
    pub name: String,
    /// Its value, as JSON.
    pub value: String,
    /// Whose result said so.
    pub task: TaskId,
    /// When that task ended.
    pub at: Millis,
}

impl Holder {
    fn columns(&self) -> (&'static str, &str) {
        match self {
            Holder::Node(id) => ("node", id),
            Holder::Site(key) => ("site", key),
        }
    }
}

/// Writes a field down, unless a newer result has said something of it.
pub async fn set(tx: &mut Tx, org: OrgId, holder: &Holder, field: &FieldRow) -> Result<(), StoreError> {
    const SQL: &str = "insert into fields (org, holder_kind, holder, name, value, task, at)
        values ($1, $2, $3, $4, $5, $6, $7)
        on conflict (org, holder_kind, holder, name) do update set value = excluded.value,
            task = excluded.task, at = excluded.at
        where fields.at <= excluded.at";
    let (kind, holder) = holder.columns();
    let values = [
        org.into(),
        kind.into(),
        holder.into(),
        field.name.as_str().into(),
        field.value.as_str().into(),
        field.task.into(),
        field.at.into(),
    ];
    tx.execute(SQL, &values).await.map(drop)
}

/// All fields of a node or a site, by name, up to `limit`.
pub async fn list(tx: &mut Tx, org: OrgId, holder: &Holder, limit: u32) -> Result<Vec<FieldRow>, StoreError> {
    const SQL: &str = "select name, value, task, at from fields
        where org = $1 and holder_kind = $2 and holder = $3 order by name limit $4";
    let (kind, holder) = holder.columns();
    tx.query(SQL, &[org.into(), kind.into(), holder.into(), limit.into()]).await?.into_iter().map(read).collect()
}

/// Forgets all fields of a node or a site. Returns how many.
pub async fn forget(tx: &mut Tx, org: OrgId, holder: &Holder) -> Result<u64, StoreError> {
    const SQL: &str = "delete from fields where org = $1 and holder_kind = $2 and holder = $3";
    let (kind, holder) = holder.columns();
    tx.execute(SQL, &[org.into(), kind.into(), holder.into()]).await
}

fn read(row: Row) -> Result<FieldRow, StoreError> {
    let mut row = row.columns("fields");
    Ok(FieldRow { name: row.text("name")?, value: row.text("value")?, task: row.id("task")?, at: row.millis("at")? })
}
