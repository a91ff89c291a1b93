//! `org_settings`: what an org's administrators chose, by key. A key that has no row has its default.

use sortie_rules::ids::OrgId;
use sortie_rules::time::Millis;

use crate::errors::StoreError;
use crate::row::Row;
use crate::tx::Tx;

/// A setting that somebody chose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrgSettingRow {
    /// Whose it is.
    pub org: OrgId,
    /// Its key.
    pub key: String,
    /// Its value, as JSON.
    pub value: String,
    /// Who chose it.
    pub changed_by: String,
    /// When.
    pub changed_at: Millis,
}

/// What stands under this key.
pub async fn get(tx: &mut Tx, org: OrgId, key: &str) -> Result<Option<OrgSettingRow>, StoreError> {
    const SQL: &str = "select org, key, value, changed_by, changed_at from org_settings where org = $1 and key = $2";
    tx.query_one_or_none(SQL, &[org.into(), key.into()]).await?.map(read).transpose()
}

/// All that an org has chosen, in the order of the keys. There are no more than there are keys.
pub async fn list(tx: &mut Tx, org: OrgId) -> Result<Vec<OrgSettingRow>, StoreError> {
    const SQL: &str = "select org, key, value, changed_by, changed_at from org_settings where org = $1 order by key";
    tx.query(SQL, &[org.into()]).await?.into_iter().map(read).collect()
}

/// Chooses a value where `former` stands, or where nothing does. `false` if somebody was quicker.
pub async fn put(tx: &mut Tx, row: &OrgSettingRow, former: Option<&str>) -> Result<bool, StoreError> {
    const INSERT: &str = "insert into org_settings (org, key, value, changed_by, changed_at)
        values ($1, $2, $3, $4, $5) on conflict (org, key) do nothing";
    const UPDATE: &str = "update org_settings set value = $3, changed_by = $4, changed_at = $5
        where org = $1 and key = $2 and value = $6";
    let [org, key, value, by, at] =
        [row.org.into(), (&row.key).into(), (&row.value).into(), (&row.changed_by).into(), row.changed_at.into()];
    let rows = match former {
        None => tx.execute(INSERT, &[org, key, value, by, at]).await?,
        Some(former) => tx.execute(UPDATE, &[org, key, value, by, at, former.into()]).await?,
    };
    Ok(rows > 0)
}

/// Goes back to the default from `former`. `false` if that does not stand there.
pub async fn delete(tx: &mut Tx, org: OrgId, key: &str, former: &str) -> Result<bool, StoreError> {
    const SQL: &str = "delete from org_settings where org = $1 and key = $2 and value = $3";
    Ok(tx.execute(SQL, &[org.into(), key.into(), former.into()]).await? > 0)
}

fn read(row: Row) -> Result<OrgSettingRow, StoreError> {
    let mut row = row.columns("org_settings");
    Ok(OrgSettingRow {
        org: row.id("org")?,
        key: row.text("key")?,
        value: row.text("value")?,
        changed_by: row.text("changed_by")?,
        changed_at: row.millis("changed_at")?,
    })
}
