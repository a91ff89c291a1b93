//! `enforcements`: what the hub itself enforces at the edge, for each resource of a node and each zone.

use sortie_rules::desired::{ConditionStatus, ResourceKey};
use sortie_rules::enforcement::{Enforcement, Enforcer};
use sortie_rules::ids::{NodeId, OrgId};
use sortie_rules::time::Millis;

use crate::errors::StoreError;
use crate::row::Row;
use crate::tx::Tx;

/// One resource of a node in one zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnforcementRow {
    /// Whose resource it is.
    pub node: NodeId,
    /// Which one.
    pub resource: ResourceKey,
    /// The zone at the edge.
    pub zone: String,
    /// Whose node it is.
    pub org: OrgId,
    /// What of the hub enforces it.
    pub enforcer: Enforcer,
    /// The secret with which the edge is called, by name.
    pub secret: String,
    /// Where it stands.
    pub life: Enforcement,
    /// Rises with every change.
    pub turn: u64,
}

macro_rules! select {
    ($end:literal) => {
        concat!(
            "select node, resource, zone, org, enforcer, secret, wanted, begun, applied, applied_at, status, reason,
                message, since, failures, next_try, turn from enforcements ",
            $end
        )
    };
}

/// Adds one. `false` if it is there.
pub async fn insert(tx: &mut Tx, row: &EnforcementRow) -> Result<bool, StoreError> {
    const SQL: &str = "insert into enforcements
        (node, resource, zone, org, enforcer, secret, wanted, begun, applied, applied_at, status, reason, message,
         since, failures, next_try, turn)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) on conflict do nothing";
    let (resource, life) = (row.resource.to_string(), &row.life);
    let values = [
        row.node.into(),
        (&resource).into(),
        (&row.zone).into(),
        row.org.into(),
        row.enforcer.as_str().into(),
        (&row.secret).into(),
        life.wanted.as_deref().into(),
        life.is_begun.into(),
        life.applied.as_deref().into(),
        life.applied_at.into(),
        life.status.as_str().into(),
        life.reason.as_deref().into(),
        life.message.as_deref().into(),
        life.since.into(),
        life.failures.into(),
        life.next_try.into(),
        row.turn.into(),
    ];
    Ok(tx.execute(SQL, &values).await? == 1)
}

/// Writes down where one stands now. `false` if it has changed since it was read.
pub async fn update(tx: &mut Tx, row: &EnforcementRow) -> Result<bool, StoreError> {
    const SQL: &str = "update enforcements set secret = $5, wanted = $6, begun = $7, applied = $8, applied_at = $9,
            status = $10, reason = $11, message = $12, since = $13, failures = $14, next_try = $15, turn = turn + 1
        where node = $1 and resource = $2 and zone = $3 and turn = $4";
    let (resource, life) = (row.resource.to_string(), &row.life);
    let values = [
        row.node.into(),
        (&resource).into(),
        (&row.zone).into(),
        row.turn.into(),
        (&row.secret).into(),
        life.wanted.as_deref().into(),
        life.is_begun.into(),
        life.applied.as_deref().into(),
        life.applied_at.into(),
        life.status.as_str().into(),
        life.reason.as_deref().into(),
        life.message.as_deref().into(),
        life.since.into(),
        life.failures.into(),
        life.next_try.into(),
    ];
    Ok(tx.execute(SQL, &values).await? == 1)
}

/// Forgets one. `false` if it has changed since it was read.
pub async fn forget(tx: &mut Tx, row: &EnforcementRow) -> Result<bool, StoreError> {
    const SQL: &str = "delete from enforcements where node = $1 and resource = $2 and zone = $3 and turn = $4";
    let resource = row.resource.to_string();
    Ok(tx.execute(SQL, &[row.node.into(), (&resource).into(), (&row.zone).into(), row.turn.into()]).await? == 1)
}

/// One of them.
pub async fn get(
    tx: &mut Tx,
    node: NodeId,
    resource: &ResourceKey,
    zone: &str,
) -> Result<Option<EnforcementRow>, StoreError> {
    const SQL: &str = select!("where node = $1 and resource = $2 and zone = $3");
    let resource = resource.to_string();
    tx.query_one_or_none(SQL, &[node.into(), (&resource).into(), zone.into()]).await?.map(read).transpose()
}

/// Those of a node, by resource and zone.
pub async fn of_node(tx: &mut Tx, node: NodeId) -> Result<Vec<EnforcementRow>, StoreError> {
    const SQL: &str = select!("where node = $1 order by resource, zone");
    tx.query(SQL, &[node.into()]).await?.into_iter().map(read).collect()
}

/// The nodes from `first` to `last` that have some.
pub async fn nodes_between(tx: &mut Tx, first: NodeId, last: NodeId) -> Result<Vec<NodeId>, StoreError> {
    const SQL: &str = "select distinct node from enforcements where node >= $1 and node <= $2";
    let rows = tx.query(SQL, &[first.into(), last.into()]).await?;
    rows.into_iter().map(|row| row.columns("enforcements").id("node")).collect()
}

/// Up to `limit` that are due at `now`, the longest due first, without the first `skipped`.
pub async fn due(tx: &mut Tx, now: Millis, skipped: u32, limit: u32) -> Result<Vec<EnforcementRow>, StoreError> {
    const SQL: &str = select!("where next_try <= $1 order by next_try limit $2 offset $3");
    tx.query(SQL, &[now.into(), limit.into(), skipped.into()]).await?.into_iter().map(read).collect()
}

/// Makes everything due that calls the edge with this secret: it has another value.
pub async fn hurry(tx: &mut Tx, org: OrgId, secret: &str, now: Millis) -> Result<u64, StoreError> {
    const SQL: &str = "update enforcements set next_try = $3, failures = 0, turn = turn + 1
        where org = $1 and secret = $2";
    tx.execute(SQL, &[org.into(), secret.into(), now.into()]).await
}

fn read(row: Row) -> Result<EnforcementRow, StoreError> {
    let mut row = row.columns("enforcements");
    let resource = |word: &str| word.parse().ok();
    let status = |word: &str| ConditionStatus::ALL.into_iter().find(|status| status.as_str() == word);
    Ok(EnforcementRow {
        node: row.id("node")?,
        resource: row.word("resource", resource)?,
        zone: row.text("zone")?,
        org: row.id("org")?,
        enforcer: row.word("enforcer", Enforcer::parse)?,
        secret: row.text("secret")?,
        life: Enforcement {
            wanted: row.text_or_none("wanted")?,
            is_begun: row.flag("begun")?,
            applied: row.text_or_none("applied")?,
            applied_at: row.millis_or_none("applied_at")?,
            status: row.word("status", status)?,
            reason: row.text_or_none("reason")?,
            message: row.text_or_none("message")?,
            since: row.millis("since")?,
            failures: row.number("failures")?,
            next_try: row.millis("next_try")?,
        },
        turn: row.number("turn")?,
    })
}
