//! `maintenance`: times in which nobody is told what begins at some nodes.

use sortie_rules::ids::{MaintenanceId, OrgId};
use sortie_rules::time::Millis;

use crate::dialect;
use crate::errors::StoreError;
use crate::row::Row;
use crate::tx::Tx;

/// One maintenance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaintenanceRow {
    /// Identifies it.
    pub id: MaintenanceId,
    /// Whose nodes it is about.
    pub org: OrgId,
    /// Why, as people said.
    pub reason: String,
    /// Which nodes, as JSON.
    pub selector: String,
    /// From when on.
    pub begins_at: Millis,
    /// Until when, if nobody ends it before.
    pub ends_at: Millis,
    /// Who announced it.
    pub made_by: String,
    /// When.
    pub made_at: Millis,
    /// Who ended it before its time, and when.
    pub ended: Option<(String, Millis)>,
}

macro_rules! select_maintenance {
    ($end:literal) => {
        concat!(
            "select id, org, reason, selector, begins_at, ends_at, made_by, made_at, ended_by, ended_at
                from maintenance ",
            $end
        )
    };
}

/// Adds one.
pub async fn insert(tx: &mut Tx, row: &MaintenanceRow) -> Result<(), StoreError> {
    const SQL: &str = "insert into maintenance
        (id, org, reason, selector, begins_at, ends_at, made_by, made_at, ended_by, ended_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    let values = [
        row.id.into(),
        row.org.into(),
        (&row.reason).into(),
        (&row.selector).into(),
        row.begins_at.into(),
        row.ends_at.into(),
        (&row.made_by).into(),
        row.made_at.into(),
        row.ended.as_ref().map(|(by, _)| by.as_str()).into(),
        row.ended.as_ref().map(|(_, at)| *at).into(),
    ];
    tx.execute(SQL, &values).await.map(drop)
}

/// One of an org.
pub async fn get(tx: &mut Tx, org: OrgId, id: MaintenanceId) -> Result<Option<MaintenanceRow>, StoreError> {
    const SQL: &str = select_maintenance!("where id = $1 and org = $2");
    tx.query_one_or_none(SQL, &[id.into(), org.into()]).await?.map(read).transpose()
}

/// All of an org that are not over at `now`, those that end first before the others. Their number is limited where they
/// are made.
pub async fn not_over(tx: &mut Tx, org: OrgId, now: Millis) -> Result<Vec<MaintenanceRow>, StoreError> {
    const SQL: &str = select_maintenance!("where org = $1 and ends_at > $2 and ended_at is null order by ends_at, id");
    tx.query(SQL, &[org.into(), now.into()]).await?.into_iter().map(read).collect()
}

/// How many of an org are not over at `now`.
pub async fn count_not_over(tx: &mut Tx, org: OrgId, now: Millis) -> Result<u64, StoreError> {
    const SQL: &str = "select count(*) from maintenance where org = $1 and ends_at > $2 and ended_at is null";
    let row = tx.query_one_or_none(SQL, &[org.into(), now.into()]).await?;
    row.map_or(Ok(0), |row| row.columns("maintenance").number("count"))
}

/// Up to `limit` of an org, the newest first, below the id `before`.
pub async fn list(
    tx: &mut Tx,
    org: OrgId,
    before: Option<MaintenanceId>,
    limit: u32,
) -> Result<Vec<MaintenanceRow>, StoreError> {
    const SQL: &str = select_maintenance!("where org = $1 and id < $2 order by id desc limit $3");
    let before = before.map_or(dialect::ABOVE_ALL_IDS.into(), Into::into);
    tx.query(SQL, &[org.into(), before, limit.into()]).await?.into_iter().map(read).collect()
}

/// Ends one that is not over. `false` if there is none such.
pub async fn end(tx: &mut Tx, org: OrgId, id: MaintenanceId, by: &str, at: Millis) -> Result<bool, StoreError> {
    const SQL: &str = "update maintenance set ended_by = $3, ended_at = $4
        where id = $1 and org = $2 and ended_at is null and ends_at > $4";
    Ok(tx.execute(SQL, &[id.into(), org.into(), by.into(), at.into()]).await? == 1)
}

/// Deletes up to `limit` whose time was over before `before`, the longest over first. Returns how many went.
pub async fn delete_over_before(tx: &mut Tx, before: Millis, limit: u32) -> Result<u64, StoreError> {
    const SQL: &str = "delete from maintenance where id in (select id from maintenance
        where ends_at < $1 order by ends_at limit $2)";
    tx.execute(SQL, &[before.into(), limit.into()]).await
}

fn read(row: Row) -> Result<MaintenanceRow, StoreError> {
    let mut row = row.columns("maintenance");
    Ok(MaintenanceRow {
        id: row.id("id")?,
        org: row.id("org")?,
        reason: row.text("reason")?,
        selector: row.text("selector")?,
        begins_at: row.millis("begins_at")?,
        ends_at: row.millis("ends_at")?,
        made_by: row.text("made_by")?,
        made_at: row.millis("made_at")?,
        ended: row.text_or_none("ended_by")?.zip(row.millis_or_none("ended_at")?),
    })
}
