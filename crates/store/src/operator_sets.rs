//! `operator_sets`: the sets of operators of an org, each signed by members of the one before.

use sortie_rules::ids::OrgId;
use sortie_rules::time::Millis;

use crate::errors::StoreError;
use crate::row::Row;
use crate::tx::Tx;

/// Somebody has published a set of this version.
pub const VERSION_TAKEN: &str = "operator_sets_pkey";

/// One set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorSetRow {
    /// Whose operators they are.
    pub org: OrgId,
    /// Which set.
    pub version: u64,
    /// The set in its envelope, as JSON.
    pub link: String,
    /// Who published it.
    pub published_by: String,
    /// When.
    pub published_at: Millis,
}

/// Adds a set. [`VERSION_TAKEN`] if there is one of this version.
pub async fn insert(tx: &mut Tx, row: &OperatorSetRow) -> Result<(), StoreError> {
    const SQL: &str = "insert into operator_sets (org, version, link, published_by, published_at)
        values ($1, $2, $3, $4, $5)";
    let values =
        [row.org.into(), row.version.into(), (&row.link).into(), (&row.published_by).into(), row.published_at.into()];
    tx.execute(SQL, &values).await.map(drop)
}

/// The newest set of an org.
pub async fn newest(tx: &mut Tx, org: OrgId) -> Result<Option<OperatorSetRow>, StoreError> {
    const SQL: &str = "select org, version, link, published_by, published_at from operator_sets
        where org = $1 order by version desc limit 1";
    tx.query_one_or_none(SQL, &[org.into()]).await?.map(read).transpose()
}

/// Up to `limit` sets of an org after this version, in order.
pub async fn after(tx: &mut Tx, org: OrgId, version: u64, limit: u32) -> Result<Vec<OperatorSetRow>, StoreError> {
    const SQL: &str = "select org, version, link, published_by, published_at from operator_sets
        where org = $1 and version > $2 order by version limit $3";
    tx.query(SQL, &[org.into(), version.into(), limit.into()]).await?.into_iter().map(read).collect()
}

fn read(row: Row) -> Result<OperatorSetRow, StoreError> {
    let mut row = row.columns("operator_sets");
    Ok(OperatorSetRow {
        org: row.id("org")?,
        version: row.number("version")?,
        link: row.text("link")?,
        published_by: row.text("published_by")?,
        published_at: row.millis("published_at")?,
    })
}
