//! `alarms`: what is wrong, from its beginning to its end. Of one rule, node and subject one is live: not resolved.

use sortie_rules::alarms::{Alarm, AlarmState, Severity};
use sortie_rules::ids::{AlarmId, NodeId, OrgId};
use sortie_rules::time::Millis;

use crate::dialect;
use crate::errors::StoreError;
use crate::row::Row;
use crate::tx::Tx;
use crate::value::Value;

/// An alarm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlarmRow {
    /// Identifies it.
    pub id: AlarmId,
    /// Of which it is the one that is live.
    pub key: AlarmKey,
    /// A hash of the rule that judged it: another text is another rule.
    pub judged_by: String,
    /// How much it matters.
    pub severity: Severity,
    /// Where it stands.
    pub life: Alarm,
    /// Since when it stands.
    pub opened_at: Option<Millis>,
    /// Since when it is over.
    pub resolved_at: Option<Millis>,
    /// What is wrong, as a sentence.
    pub summary: String,
    /// What began it, as JSON.
    pub data: String,
    /// Rises with every change.
    pub turn: u64,
}

/// What one alarm at a time is live of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AlarmKey {
    /// Whose it is.
    pub org: OrgId,
    /// The rule's name.
    pub rule: String,
    /// The node that it is about, if it is about one.
    pub node: Option<NodeId>,
    /// What it is about beside that; empty: nothing.
    pub subject: String,
}

/// Which alarms a list should have; what is left out does not narrow it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AlarmFilter {
    /// Only those about this node.
    pub node: Option<NodeId>,
    /// Only those that stand so: `pending`, `open` or `resolved`.
    pub state: Option<&'static str>,
    /// Only those of this severity.
    pub severity: Option<Severity>,
    /// Only those of this rule.
    pub rule: Option<String>,
}

/// What indexes say of an alarm that is live: 1. Where many are asked for that is given like a key, so that no plan
/// begins with all that are live and holds each of them against each key.
macro_rules! is_live {
    () => {
        "(case when resolved_at is null then cast(1 as bigint) end)"
    };
}
/// Of an alarm that is live.
const LIVE: i64 = 1;

macro_rules! select_alarms {
    ($($end:tt)+) => {
        concat!(
            "select id, org, rule, judged_by, severity, node, subject, state, began_at, seen_at, seen, due_at,
                opened_at, resolved_at, summary, data, turn from alarms ",
            $($end)+
        )
    };
}

/// Adds alarms. None of those that are live may be of what one is live of.
pub async fn insert_all(tx: &mut Tx, rows: &[AlarmRow]) -> Result<(), StoreError> {
    const SQL: &str = "insert into alarms
        (id, org, rule, judged_by, severity, node, subject, state, began_at, seen_at, seen, due_at, opened_at,
         resolved_at, summary, data, turn)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)";
    let values: Vec<[Value<'_>; 17]> = rows
        .iter()
        .map(|row| {
            [
                row.id.into(),
                row.key.org.into(),
                (&row.key.rule).into(),
                (&row.judged_by).into(),
                row.severity.as_str().into(),
                row.key.node.into(),
                (&row.key.subject).into(),
                row.life.state.as_str().into(),
                row.life.began_at.into(),
                row.life.seen_at.into(),
                row.life.seen.into(),
                row.life.state.due_at().into(),
                row.opened_at.into(),
                row.resolved_at.into(),
                (&row.summary).into(),
                (&row.data).into(),
                row.turn.into(),
            ]
        })
        .collect();
    if values.is_empty() { Ok(()) } else { tx.execute_each(SQL, &values).await.map(drop) }
}

/// Writes down where alarms stand now. Says of each whether it had not changed since it was read; else it stays.
pub async fn change_all(tx: &mut Tx, rows: &[AlarmRow]) -> Result<Vec<bool>, StoreError> {
    const SQL: &str = "update alarms set state = $3, seen_at = $4, seen = $5, due_at = $6, opened_at = $7,
            resolved_at = $8, turn = turn + 1
        where id = $1 and turn = $2";
    let values: Vec<[Value<'_>; 8]> = rows
        .iter()
        .map(|row| {
            [
                row.id.into(),
                row.turn.into(),
                row.life.state.as_str().into(),
                row.life.seen_at.into(),
                row.life.seen.into(),
                row.life.state.due_at().into(),
                row.opened_at.into(),
                row.resolved_at.into(),
            ]
        })
        .collect();
    if values.is_empty() { Ok(Vec::new()) } else { tx.change_each(SQL, &values).await }
}

/// Forgets alarms that never stood. Says of each whether it had not changed since it was read; else it stays.
pub async fn forget_all(tx: &mut Tx, rows: &[(AlarmId, u64)]) -> Result<Vec<bool>, StoreError> {
    const SQL: &str = "delete from alarms where id = $1 and turn = $2 and state = 'pending'";
    let values: Vec<[Value<'_>; 2]> = rows.iter().map(|(id, turn)| [(*id).into(), (*turn).into()]).collect();
    if values.is_empty() { Ok(Vec::new()) } else { tx.change_each(SQL, &values).await }
}

/// What is live of these, in no order. Each may be asked for once.
pub async fn live(tx: &mut Tx, keys: &[AlarmKey]) -> Result<Vec<AlarmRow>, StoreError> {
    const SQL: &str = select_alarms!(
        "where ",
        is_live!(),
        " = $5 and org = $1 and rule = $2 and coalesce(node, '') = $3 and subject = $4"
    );
    let values: Vec<[Value<'_>; 5]> = keys
        .iter()
        .map(|key| {
            let node = key.node.map_or("".into(), Into::into);
            [key.org.into(), (&key.rule).into(), node, (&key.subject).into(), LIVE.into()]
        })
        .collect();
    if values.is_empty() {
        return Ok(Vec::new());
    }
    tx.query_each(SQL, &values).await?.into_iter().map(read).collect()
}

/// What is live of these nodes, in no order. Each may be asked for once.
pub async fn live_of_nodes(tx: &mut Tx, nodes: &[NodeId]) -> Result<Vec<AlarmRow>, StoreError> {
    const SQL: &str = select_alarms!("where ", is_live!(), " = $2 and node = $1");
    let values: Vec<[Value<'_>; 2]> = nodes.iter().map(|node| [(*node).into(), LIVE.into()]).collect();
    if values.is_empty() {
        return Ok(Vec::new());
    }
    tx.query_each(SQL, &values).await?.into_iter().map(read).collect()
}

/// Up to `limit` alarms that time alone changes by `now`, the longest due first.
pub async fn due(tx: &mut Tx, now: Millis, limit: u32) -> Result<Vec<AlarmRow>, StoreError> {
    const SQL: &str = select_alarms!("where due_at <= $1 order by due_at limit $2");
    tx.query(SQL, &[now.into(), limit.into()]).await?.into_iter().map(read).collect()
}

/// The clock by which this is written was put forward by so many milliseconds, or back, if negative: what time alone
/// changes of alarms it changes as much later, or earlier. Returns of how many.
pub async fn move_due(tx: &mut Tx, by_ms: i64) -> Result<u64, StoreError> {
    const SQL: &str = "update alarms set due_at = due_at + $1, turn = turn + 1 where due_at is not null";
    tx.execute(SQL, &[by_ms.into()]).await
}

/// The next org and rule of which something is live, after this one in their order.
pub async fn next_live_rule(tx: &mut Tx, after: Option<(OrgId, &str)>) -> Result<Option<(OrgId, String)>, StoreError> {
    // One look at the index for each: of how many alarms a rule has none is read but the first.
    const WITHIN: &str = concat!(
        "select org, rule from alarms where ",
        is_live!(),
        " = 1 and org = $1 and rule > $2 order by org, rule limit 1"
    );
    const BEYOND: &str =
        concat!("select org, rule from alarms where ", is_live!(), " = 1 and org > $1 order by org, rule limit 1");
    let read = |row: Row| {
        let mut row = row.columns("alarms");
        Ok::<_, StoreError>((row.id("org")?, row.text("rule")?))
    };
    let Some((org, rule)) = after else {
        return tx.query_one_or_none(BEYOND, &["".into()]).await?.map(read).transpose();
    };
    if let Some(row) = tx.query_one_or_none(WITHIN, &[org.into(), rule.into()]).await? {
        return read(row).map(Some);
    }
    tx.query_one_or_none(BEYOND, &[org.into()]).await?.map(read).transpose()
}

/// Up to `limit` alarms that are live of a rule, and were judged by another text of it than this.
pub async fn judged_otherwise(
    tx: &mut Tx,
    org: OrgId,
    rule: &str,
    judged_by: &str,
    limit: u32,
) -> Result<Vec<AlarmRow>, StoreError> {
    const SQL: &str = select_alarms!(
        "where ",
        is_live!(),
        " = 1 and org = $1 and rule = $2 and judged_by <> $3 order by org, rule limit $4"
    );
    let rows = tx.query(SQL, &[org.into(), rule.into(), judged_by.into(), limit.into()]).await?;
    rows.into_iter().map(read).collect()
}

/// One alarm of an org.
pub async fn get(tx: &mut Tx, org: OrgId, id: AlarmId) -> Result<Option<AlarmRow>, StoreError> {
    const SQL: &str = select_alarms!("where id = $1 and org = $2");
    tx.query_one_or_none(SQL, &[id.into(), org.into()]).await?.map(read).transpose()
}

/// Up to `limit` alarms of an org, the newest first, below the id `before`.
pub async fn list(
    tx: &mut Tx,
    org: OrgId,
    filter: &AlarmFilter,
    before: Option<AlarmId>,
    limit: u32,
) -> Result<Vec<AlarmRow>, StoreError> {
    const ALL: &str = select_alarms!(
        "where org = $1 and id < $2 and (cast($4 as text) is null or severity = $4)
            and (cast($5 as text) is null or rule = $5)
        order by id desc limit $3"
    );
    const OF_STATE: &str = select_alarms!(
        "where org = $1 and state = $6 and id < $2 and (cast($4 as text) is null or severity = $4)
            and (cast($5 as text) is null or rule = $5)
        order by id desc limit $3"
    );
    const OF_NODE: &str = select_alarms!(
        "where org = $1 and node = $7 and id < $2 and (cast($4 as text) is null or severity = $4)
            and (cast($5 as text) is null or rule = $5) and (cast($6 as text) is null or state = $6)
        order by id desc limit $3"
    );
    let before = before.map_or(dialect::ABOVE_ALL_IDS.into(), Into::into);
    let severity = filter.severity.map(Severity::as_str).into();
    let (rule, state): (Value<'_>, Value<'_>) = (filter.rule.as_deref().into(), filter.state.into());
    let values = [org.into(), before, limit.into(), severity, rule, state, filter.node.into()];
    let rows = match (filter.node, filter.state) {
        (Some(_), _) => tx.query(OF_NODE, &values).await?,
        (None, Some(_)) => tx.query(OF_STATE, &values[..6]).await?,
        (None, None) => tx.query(ALL, &values[..5]).await?,
    };
    rows.into_iter().map(read).collect()
}

/// Deletes up to `limit` alarms that were over before `before`, the longest over first. Returns how many went.
pub async fn delete_resolved_before(tx: &mut Tx, before: Millis, limit: u32) -> Result<u64, StoreError> {
    const SQL: &str = "delete from alarms where id in (select id from alarms
        where resolved_at < $1 order by resolved_at limit $2)";
    tx.execute(SQL, &[before.into(), limit.into()]).await
}

fn read(row: Row) -> Result<AlarmRow, StoreError> {
    let mut row = row.columns("alarms");
    let (id, org, rule) = (row.id("id")?, row.id("org")?, row.text("rule")?);
    let (judged_by, severity) = (row.text("judged_by")?, row.word("severity", Severity::parse)?);
    let (node, subject) = (row.id_or_none("node")?, row.text("subject")?);
    let state = row.text("state")?;
    let (began_at, seen_at, seen) = (row.millis("began_at")?, row.millis("seen_at")?, row.number("seen")?);
    let due_at = row.millis_or_none("due_at")?;
    let state = match (state.as_str(), due_at) {
        ("pending", Some(open_at)) => AlarmState::Pending { open_at },
        ("open", over_at) => AlarmState::Open { over_at },
        ("resolved", None) => AlarmState::Resolved,
        _ => return Err(row.corrupt("state", format!("is no state that can be ({state}, due at {due_at:?})"))),
    };
    Ok(AlarmRow {
        id,
        key: AlarmKey { org, rule, node, subject },
        judged_by,
        severity,
        life: Alarm { state, began_at, seen_at, seen },
        opened_at: row.millis_or_none("opened_at")?,
        resolved_at: row.millis_or_none("resolved_at")?,
        summary: row.text("summary")?,
        data: row.text("data")?,
        turn: row.number("turn")?,
    })
}
