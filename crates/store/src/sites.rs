//! `sites`: named groups of nodes at one place.

use sortie_rules::ids::OrgId;
use sortie_rules::time::Millis;

use crate::dialect;
use crate::errors::StoreError;
use crate::row::Row;
use crate::tx::Tx;

/// One site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteRow {
    /// Whose it is.
    pub org: OrgId,
    /// Its machine-facing name; unique within the org.
    pub key: String,
    /// Its name for people.
    pub name: String,
    /// When it was first written.
    pub created_at: Millis,
}

/// Adds a site, or gives the one that stands there the new name; its age stays.
pub async fn upsert(tx: &mut Tx, site: &SiteRow) -> Result<(), StoreError> {
    const SQL: &str = "insert into sites (org, key, name, created_at) values ($1, $2, $3, $4)
        on conflict (org, key) do update set name = excluded.name";
    let values = [site.org.into(), (&site.key).into(), (&site.name).into(), site.created_at.into()];
    tx.execute(SQL, &values).await.map(drop)
}

/// The site with this key.
pub async fn get(tx: &mut Tx, org: OrgId, key: &str) -> Result<Option<SiteRow>, StoreError> {
    const SQL: &str = "select org, key, name, created_at from sites where org = $1 and key = $2";
    tx.query_one_or_none(SQL, &[org.into(), key.into()]).await?.map(read).transpose()
}

/// Keeps a site from being removed until the transaction ends. `false` if there is none.
pub async fn hold(tx: &mut Tx, org: OrgId, key: &str) -> Result<bool, StoreError> {
    let sql = if tx.is_postgres() { dialect::HOLD_SITE_ON_POSTGRES } else { dialect::HOLD_SITE_ON_SQLITE };
    Ok(tx.query_one_or_none(sql, &[org.into(), key.into()]).await?.is_some())
}

/// Keeps everybody else from beginning to use a site until the transaction ends: what is read of its use afterwards
/// stays so. `None` if there is none.
pub async fn hold_alone(tx: &mut Tx, org: OrgId, key: &str) -> Result<Option<SiteRow>, StoreError> {
    let sql = if tx.is_postgres() { dialect::HOLD_SITE_ALONE_ON_POSTGRES } else { dialect::HOLD_SITE_ALONE_ON_SQLITE };
    tx.query_one_or_none(sql, &[org.into(), key.into()]).await?.map(read).transpose()
}

/// Deletes a site to which no node and no invite refers. `false` if there is none.
pub async fn delete(tx: &mut Tx, org: OrgId, key: &str) -> Result<bool, StoreError> {
    const SQL: &str = "delete from sites where org = $1 and key = $2";
    Ok(tx.execute(SQL, &[org.into(), key.into()]).await? > 0)
}

/// Up to `limit` sites in the order of their keys, after `after`.
pub async fn list(tx: &mut Tx, org: OrgId, after: Option<&str>, limit: u32) -> Result<Vec<SiteRow>, StoreError> {
    const SQL: &str = "select org, key, name, created_at from sites
        where org = $1 and key > $2 order by key limit $3";
    let values = [org.into(), after.unwrap_or("").into(), limit.into()];
    tx.query(SQL, &values).await?.into_iter().map(read).collect()
}

fn read(row: Row) -> Result<SiteRow, StoreError> {
    let mut row = row.columns("sites");
    Ok(SiteRow {
        org: row.id("org")?,
        key: row.text("key")?,
        name: row.text("name")?,
        created_at: row.millis("created_at")?,
    })
}
