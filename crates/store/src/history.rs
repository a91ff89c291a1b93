//! `history` and `history_levels`: what happened at each node and in each org, in stretches, and how many are online.

use sortie_rules::history::{Counts, Level, Row as Stretch, Step, Sum};
use sortie_rules::time::Millis;

use crate::errors::StoreError;
use crate::row::Row;
use crate::tx::Tx;
use crate::value::Value;

/// Something to enter into a stretch, beside what stands there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SumRow {
    /// Whose stretch: the id of a node or of an org.
    pub holder: String,
    /// How long it is.
    pub step: Step,
    /// When it begins.
    pub at: Millis,
    /// What is entered.
    pub sum: Sum,
}

/// Begins with what is said of nodes at this moment, of those that were ever heard. Once, before anything is entered.
pub async fn begin(tx: &mut Tx, now: Millis) -> Result<(), StoreError> {
    const NODES: &str = "insert into history_levels (holder, online, since_at, known_since)
        select s.node, case when s.presence = 'online' then 1 else 0 end, cast($1 as bigint),
            cast($1 as bigint)
        from node_signs s join nodes n on n.id = s.node
        where s.presence <> 'new' and n.revoked_at is null";
    const ORGS: &str = "insert into history_levels (holder, online, since_at, known_since)
        select n.org, cast(sum(l.online) as bigint), cast($1 as bigint), cast($1 as bigint)
        from history_levels l join nodes n on n.id = l.holder group by n.org";
    tx.execute(NODES, &[now.into()]).await?;
    tx.execute(ORGS, &[now.into()]).await.map(drop)
}

/// How many are online of these holders, in no order. Each may be asked for once; of some nothing is known.
pub async fn levels(tx: &mut Tx, holders: &[String]) -> Result<Vec<(String, Level)>, StoreError> {
    const SQL: &str = "select holder, online, since_at, known_since from history_levels where holder = $1";
    let values: Vec<[Value<'_>; 1]> = holders.iter().map(|holder| [holder.into()]).collect();
    if values.is_empty() {
        return Ok(Vec::new());
    }
    let read = |row: Row| {
        let mut row = row.columns("history_levels");
        let holder = row.text("holder")?;
        let (online, since) = (row.number("online")?, row.millis("since_at")?);
        Ok((holder, Level { online, since, known_since: row.millis("known_since")? }))
    };
    tx.query_each(SQL, &values).await?.into_iter().map(read).collect()
}

/// Writes down how many are online of holders from now on, each there once.
pub async fn set_levels(tx: &mut Tx, levels: &[(String, Level)]) -> Result<(), StoreError> {
    const SQL: &str = "insert into history_levels (holder, online, since_at, known_since) values ($1, $2, $3, $4)
        on conflict (holder) do update set online = excluded.online, since_at = excluded.since_at,
            known_since = excluded.known_since";
    let row = |(holder, level): &(String, Level)| (holder.clone(), level.online, level.since, level.known_since);
    let rows: Vec<_> = levels.iter().map(row).collect();
    let values: Vec<[Value<'_>; 4]> = rows
        .iter()
        .map(|(holder, online, since, known)| [holder.into(), (*online).into(), (*since).into(), (*known).into()])
        .collect();
    if values.is_empty() { Ok(()) } else { tx.execute_each(SQL, &values).await.map(drop) }
}

/// Enters these into their stretches, each stretch there once.
pub async fn enter(tx: &mut Tx, rows: &[SumRow]) -> Result<(), StoreError> {
    const SQL: &str = "insert into history (holder, step, at, tasks_completed, tasks_failed, tasks_other,
            backups_completed, backups_failed, backups_missed, online_ms, online_before, online_after, changed_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
        on conflict (holder, step, at) do update set
            tasks_completed = history.tasks_completed + excluded.tasks_completed,
            tasks_failed = history.tasks_failed + excluded.tasks_failed,
            tasks_other = history.tasks_other + excluded.tasks_other,
            backups_completed = history.backups_completed + excluded.backups_completed,
            backups_failed = history.backups_failed + excluded.backups_failed,
            backups_missed = history.backups_missed + excluded.backups_missed,
            online_ms = history.online_ms + excluded.online_ms,
            online_before = coalesce(history.online_before, excluded.online_before),
            online_after = coalesce(excluded.online_after, history.online_after),
            changed_at = coalesce(excluded.changed_at, history.changed_at)";
    let values: Vec<[Value<'_>; 13]> = rows
        .iter()
        .map(|row| {
            let (counts, change) = (row.sum.counts, row.sum.change);
            [
                (&row.holder).into(),
                row.step.as_str().into(),
                row.at.into(),
                counts.tasks_completed.into(),
                counts.tasks_failed.into(),
                counts.tasks_other.into(),
                counts.backups_completed.into(),
                counts.backups_failed.into(),
                counts.backups_missed.into(),
                row.sum.online_ms.into(),
                change.map(|(before, ..)| before).map_or(Value::Null, Into::into),
                change.map(|(_, after, _)| after).map_or(Value::Null, Into::into),
                change.map(|(.., at)| at).into(),
            ]
        })
        .collect();
    if values.is_empty() { Ok(()) } else { tx.execute_each(SQL, &values).await.map(drop) }
}

/// Up to `limit` stretches of a holder that begin at `from` or later, in their order.
pub async fn list(tx: &mut Tx, holder: &str, step: Step, from: Millis, limit: u32) -> Result<Vec<Stretch>, StoreError> {
    const SQL: &str = "select at, tasks_completed, tasks_failed, tasks_other, backups_completed, backups_failed,
            backups_missed, online_ms, online_before, online_after, changed_at
        from history where holder = $1 and step = $2 and at >= $3 order by at limit $4";
    let values = [holder.into(), step.as_str().into(), from.into(), limit.into()];
    tx.query(SQL, &values).await?.into_iter().map(read).collect()
}

/// Deletes up to `limit` stretches of this length that begin before `before`, the oldest first. Returns how many went.
pub async fn delete_before(tx: &mut Tx, step: Step, before: Millis, limit: u32) -> Result<u64, StoreError> {
    const SQL: &str =
        "delete from history where step = $1 and at < $2 and (holder, at) in (select holder, at from history
        where step = $1 and at < $2 order by at limit $3)";
    tx.execute(SQL, &[step.as_str().into(), before.into(), limit.into()]).await
}

fn read(row: Row) -> Result<Stretch, StoreError> {
    let mut row = row.columns("history");
    let at = row.millis("at")?;
    let counts = Counts {
        tasks_completed: row.number("tasks_completed")?,
        tasks_failed: row.number("tasks_failed")?,
        tasks_other: row.number("tasks_other")?,
        backups_completed: row.number("backups_completed")?,
        backups_failed: row.number("backups_failed")?,
        backups_missed: row.number("backups_missed")?,
    };
    let online_ms = row.number("online_ms")?;
    let (before, after) = (row.number_or_none("online_before")?, row.number_or_none("online_after")?);
    let change = match (before, after, row.millis_or_none("changed_at")?) {
        (Some(before), Some(after), Some(at)) => Some((before, after, at)),
        _ => None,
    };
    Ok(Stretch { at, sum: Sum { counts, online_ms, change } })
}
