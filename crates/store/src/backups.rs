//! `backups`: what nodes said of each target last.

use std::collections::BTreeMap;

use sortie_rules::backups::{AHEAD_FROM, SAME_DAY_WITHIN};
use sortie_rules::ids::{NodeId, OrgId};
use sortie_rules::time::Millis;

use crate::errors::StoreError;
use crate::row::Row;
use crate::tx::Tx;
use crate::value::Value;

/// What is known of one target of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupRow {
    /// Whose backup it is.
    pub node: NodeId,
    /// Of what.
    pub target: String,
    /// When the newest good one was completed.
    pub completed_at: Option<Millis>,
    /// When one failed last.
    pub failed_at: Option<Millis>,
    /// When the node spoke of it last.
    pub reported_at: Option<Millis>,
    /// When the newest day began on which it was missed, if it was not made up since.
    pub missed_since: Option<Millis>,
}

/// What a node said of one target. What it did not say is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaidRow {
    /// Whose backup it is.
    pub node: NodeId,
    /// Of what.
    pub target: String,
    /// When the newest good one was completed.
    pub completed_at: Option<Millis>,
    /// When one failed last.
    pub failed_at: Option<Millis>,
    /// When it said so.
    pub reported_at: Millis,
}

/// A node of which a backup is expected, if its selector means it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectedRow {
    /// Its id.
    pub node: NodeId,
    /// Its name.
    pub name: String,
    /// The site that it is at.
    pub site: Option<String>,
    /// What sort of node it is.
    pub kind: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Since when it is there.
    pub enrolled_at: Millis,
    /// When the newest good backup was completed, if there was one.
    pub completed_at: Option<Millis>,
}

/// What is known of a target.
pub async fn get(tx: &mut Tx, node: NodeId, target: &str) -> Result<Option<BackupRow>, StoreError> {
    const SQL: &str = "select node, target, completed_at, failed_at, reported_at, missed_since from backups
        where node = $1 and target = $2";
    tx.query_one_or_none(SQL, &[node.into(), target.into()]).await?.map(read).transpose()
}

/// Writes down what a node said of a target. What it did not say stays. Says whether that makes up for a day on which
/// the backup was missed.
///
/// Whoever judges the target meanwhile waits for the end of this transaction, or is waited for: it is seen once what
/// was missed, and once that it was made up.
pub async fn put(tx: &mut Tx, said: &SaidRow) -> Result<bool, StoreError> {
    const SAID: &str = "insert into backups (node, target, completed_at, failed_at, reported_at)
        values ($1, $2, $3, $4, $5)
        on conflict (node, target) do update set
            completed_at = coalesce(excluded.completed_at, backups.completed_at),
            failed_at = coalesce(excluded.failed_at, backups.failed_at), reported_at = excluded.reported_at";
    const MADE_UP: &str = "update backups set missed_since = null
        where node = $1 and target = $2 and missed_since <= completed_at";
    let (node, target) = (said.node.into(), (&said.target).into());
    let values = [node, target, said.completed_at.into(), said.failed_at.into(), said.reported_at.into()];
    tx.execute(SAID, &values).await?;
    Ok(tx.execute(MADE_UP, &[said.node.into(), (&said.target).into()]).await? == 1)
}

/// Writes down that the backup of a target was missed at these nodes, each there once, on the day that began then. Says
/// of each whether it is news that stands: it is none where the backup was done meanwhile, or where it was said of that
/// day already, by this deadline or another ([`SAME_DAY_WITHIN`]). What was said of a day that is far ahead
/// ([`AHEAD_FROM`]) counts for nothing.
pub async fn miss(tx: &mut Tx, nodes: &[NodeId], target: &str, day_began: Millis) -> Result<Vec<bool>, StoreError> {
    const EXPECTED: &str = "insert into backups (node, target) values ($1, $2) on conflict (node, target) do nothing";
    const MISSED: &str = "update backups set missed_since = $3
        where node = $1 and target = $2 and (completed_at is null or completed_at < $3)
            and (missed_since is null or missed_since < $4 or missed_since > $5)";
    if nodes.is_empty() {
        return Ok(Vec::new());
    }
    let expected: Vec<[Value<'_>; 2]> = nodes.iter().map(|node| [(*node).into(), target.into()]).collect();
    tx.execute_each(EXPECTED, &expected).await?;
    let (day_before, ahead) = (day_began - SAME_DAY_WITHIN, day_began + AHEAD_FROM);
    let missed: Vec<[Value<'_>; 5]> = nodes
        .iter()
        .map(|node| [(*node).into(), target.into(), day_began.into(), day_before.into(), ahead.into()])
        .collect();
    tx.change_each(MISSED, &missed).await
}

/// Up to `limit` nodes of an org in the order of their names, after the name `after`, with what is known of a target
/// there. Those that were shut out are not among them.
pub async fn expected(
    tx: &mut Tx,
    org: OrgId,
    (site, kind): (Option<&str>, Option<&str>),
    target: &str,
    after: &str,
    limit: u32,
) -> Result<Vec<ExpectedRow>, StoreError> {
    const SQL: &str = "select n.id, n.name, n.site, n.kind, n.labels, n.enrolled_at, b.completed_at
        from nodes n left join backups b on b.node = n.id and b.target = $5
        where n.org = $1 and n.name > $2 and n.revoked_at is null
            and (cast($3 as text) is null or n.site = $3) and (cast($4 as text) is null or n.kind = $4)
        order by n.name limit $6";
    let values = [org.into(), after.into(), site.into(), kind.into(), target.into(), limit.into()];
    let read = |row: Row| {
        let mut row = row.columns("nodes");
        Ok(ExpectedRow {
            node: row.id("id")?,
            name: row.text("name")?,
            site: row.text_or_none("site")?,
            kind: row.text("kind")?,
            labels: row.labels("labels")?,
            enrolled_at: row.millis("enrolled_at")?,
            completed_at: row.millis_or_none("completed_at")?,
        })
    };
    tx.query(SQL, &values).await?.into_iter().map(read).collect()
}

fn read(row: Row) -> Result<BackupRow, StoreError> {
    let mut row = row.columns("backups");
    Ok(BackupRow {
        node: row.id("node")?,
        target: row.text("target")?,
        completed_at: row.millis_or_none("completed_at")?,
        failed_at: row.millis_or_none("failed_at")?,
        reported_at: row.millis_or_none("reported_at")?,
        missed_since: row.millis_or_none("missed_since")?,
    })
}
