//! Tasks that wait for an hour, and tasks whose hour has passed.

use sortie_rules::ids::NodeId;
use sortie_rules::time::Millis;

use super::row::{TaskLife, life_row_columns, read_life};
use crate::errors::StoreError;
use crate::tx::Tx;

/// Up to `limit` nodes of all orgs that have tasks whose wait ends after `after` and not after
/// `until`: the bells to ring.
pub async fn due_between(tx: &mut Tx, after: Millis, until: Millis, limit: u32) -> Result<Vec<NodeId>, StoreError> {
    const SQL: &str = "select distinct node from tasks
        where status = 'pending' and not_before is not null and not_before > $1 and not_before <= $2
        order by node limit $3";
    let rows = tx.query(SQL, &[after.into(), until.into(), limit.into()]).await?;
    rows.into_iter().map(|row| row.columns("tasks").id("node")).collect()
}

/// When the next wait ends after `after`, of any task of any org.
pub async fn next_due(tx: &mut Tx, after: Millis) -> Result<Option<Millis>, StoreError> {
    const SQL: &str = "select min(not_before) from tasks
        where status = 'pending' and not_before is not null and not_before > $1";
    let row = tx.query_one_or_none(SQL, &[after.into()]).await?;
    row.map_or(Ok(None), |row| row.columns("tasks").millis_or_none("not_before"))
}

/// Up to `limit` waiting tasks of all orgs whose `not_after` has passed at `now`, the longest passed
/// first.
pub async fn overdue(tx: &mut Tx, now: Millis, limit: u32) -> Result<Vec<TaskLife>, StoreError> {
    const SQL: &str = concat!(
        "select ",
        life_row_columns!(),
        " from tasks where status = 'pending' and not_after is not null and not_after <= $1
        order by not_after limit $2"
    );
    tx.query(SQL, &[now.into(), limit.into()]).await?.into_iter().map(read_life).collect()
}

/// When the next waiting task's `not_after` passes, of any org.
pub async fn next_overdue(tx: &mut Tx) -> Result<Option<Millis>, StoreError> {
    const SQL: &str = "select min(not_after) from tasks where status = 'pending' and not_after is not null";
    let row = tx.query_one_or_none(SQL, &[]).await?;
    row.map_or(Ok(None), |row| row.columns("tasks").millis_or_none("not_after"))
}
