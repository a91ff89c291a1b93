//! `orgs`: the tenants. Every other row belongs to one.

use sortie_rules::ids::OrgId;
use sortie_rules::time::Millis;

use crate::errors::StoreError;
use crate::row::Row;
use crate::tx::Tx;

/// An org of this id stands already.
pub const ID_TAKEN: &str = "orgs_pkey";
/// An org of this name stands already.
pub const NAME_TAKEN: &str = "orgs_name";

/// One org.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrgRow {
    /// Its id.
    pub id: OrgId,
    /// Its name; unique.
    pub name: String,
    /// When it was made.
    pub created_at: Millis,
}

/// Adds an org. [`ID_TAKEN`] or [`NAME_TAKEN`] if it is there.
pub async fn insert(tx: &mut Tx, org: &OrgRow) -> Result<(), StoreError> {
    const SQL: &str = "insert into orgs (id, name, created_at) values ($1, $2, $3)";
    tx.execute(SQL, &[org.id.into(), (&org.name).into(), org.created_at.into()]).await.map(drop)
}

/// The org of this id.
pub async fn get(tx: &mut Tx, id: OrgId) -> Result<Option<OrgRow>, StoreError> {
    const SQL: &str = "select id, name, created_at from orgs where id = $1";
    tx.query_one_or_none(SQL, &[id.into()]).await?.map(read).transpose()
}

/// Up to `limit` orgs in the order of their ids, after `after`: for the hub's own loops.
pub async fn list(tx: &mut Tx, after: Option<OrgId>, limit: u32) -> Result<Vec<OrgRow>, StoreError> {
    const SQL: &str = "select id, name, created_at from orgs where id > $1 order by id limit $2";
    let after = after.map_or("".into(), Into::into);
    tx.query(SQL, &[after, limit.into()]).await?.into_iter().map(read).collect()
}

/// Keeps others that hold this org waiting until the transaction ends: of two that would each take away the last
/// but one of something, the second reads what became of the first.
pub async fn hold(tx: &mut Tx, id: OrgId) -> Result<(), StoreError> {
    const SQL: &str = "update orgs set id = id where id = $1";
    tx.execute(SQL, &[id.into()]).await.map(drop)
}

fn read(row: Row) -> Result<OrgRow, StoreError> {
    let mut row = row.columns("orgs");
    Ok(OrgRow { id: row.id("id")?, name: row.text("name")?, created_at: row.millis("created_at")? })
}
