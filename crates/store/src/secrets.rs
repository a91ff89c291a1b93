//! `secrets`: values of an org that desired states refer to. What stands here is sealed with a key that is not in the
//! database.

use sortie_rules::ids::OrgId;
use sortie_rules::time::Millis;

use crate::errors::StoreError;
use crate::row::Row;
use crate::tx::Tx;

/// A secret, sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretRow {
    /// Whose it is.
    pub org: OrgId,
    /// Its name.
    pub name: String,
    /// Counts its values.
    pub version: u64,
    /// Its value, sealed.
    pub sealed: Vec<u8>,
    /// Who gave it its value.
    pub changed_by: String,
    /// When.
    pub changed_at: Millis,
}

/// The secret of this name.
pub async fn get(tx: &mut Tx, org: OrgId, name: &str) -> Result<Option<SecretRow>, StoreError> {
    const SQL: &str = "select org, name, version, sealed, changed_by, changed_at from secrets
        where org = $1 and name = $2";
    tx.query_one_or_none(SQL, &[org.into(), name.into()]).await?.map(read).transpose()
}

/// Up to `limit` secrets of an org, by name after `after`.
pub async fn list(tx: &mut Tx, org: OrgId, after: Option<&str>, limit: u32) -> Result<Vec<SecretRow>, StoreError> {
    const SQL: &str = "select org, name, version, sealed, changed_by, changed_at from secrets
        where org = $1 and name > $2 order by name limit $3";
    let values = [org.into(), after.unwrap_or("").into(), limit.into()];
    tx.query(SQL, &values).await?.into_iter().map(read).collect()
}

/// How many secrets an org has.
pub async fn count(tx: &mut Tx, org: OrgId) -> Result<u64, StoreError> {
    const SQL: &str = "select count(*) from secrets where org = $1";
    let row = tx.query_one_or_none(SQL, &[org.into()]).await?;
    row.map_or(Ok(0), |row| row.columns("secrets").number("count"))
}

/// Writes a value whose version follows the one before. `false` if somebody was quicker.
pub async fn put(tx: &mut Tx, row: &SecretRow) -> Result<bool, StoreError> {
    const INSERT: &str = "insert into secrets (org, name, version, sealed, changed_by, changed_at)
        values ($1, $2, $3, $4, $5, $6) on conflict (org, name) do nothing";
    const UPDATE: &str = "update secrets set version = $3, sealed = $4, changed_by = $5, changed_at = $6
        where org = $1 and name = $2 and version + 1 = $3";
    let (name, version, sealed) = ((&row.name).into(), row.version.into(), (&row.sealed).into());
    let values = [row.org.into(), name, version, sealed, (&row.changed_by).into(), row.changed_at.into()];
    let text = if row.version == 1 { INSERT } else { UPDATE };
    Ok(tx.execute(text, &values).await? > 0)
}

/// Removes a secret. `false` if there is none.
pub async fn delete(tx: &mut Tx, org: OrgId, name: &str) -> Result<bool, StoreError> {
    const SQL: &str = "delete from secrets where org = $1 and name = $2";
    Ok(tx.execute(SQL, &[org.into(), name.into()]).await? > 0)
}

fn read(row: Row) -> Result<SecretRow, StoreError> {
    let mut row = row.columns("secrets");
    Ok(SecretRow {
        org: row.id("org")?,
        name: row.text("name")?,
        version: row.number("version")?,
        sealed: row.bytes("sealed")?,
        changed_by: row.text("changed_by")?,
        changed_at: row.millis("changed_at")?,
    })
}
