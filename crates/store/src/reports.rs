//! `reports`: facts that nodes tell of themselves. The newest of each node, kind and subject stays.

use sortie_rules::ids::{NodeId, OrgId};
use sortie_rules::time::Millis;

use crate::errors::StoreError;
use crate::row::Row;
use crate::tx::Tx;
use crate::value::Value;

/// Another report of this node, kind and subject came at the same moment.
pub const NUMBER_TAKEN: &str = "reports_pkey";

/// A report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportRow {
    /// Who sent it.
    pub node: NodeId,
    /// Whose node that is.
    pub org: OrgId,
    /// What it is about.
    pub kind: String,
    /// Which of its kind; empty: the only one.
    pub subject: String,
    /// Counts the reports of this node, kind and subject, from 1.
    pub number: u64,
    /// When the facts were so, by the node's clock.
    pub taken_at: Millis,
    /// When the hub got it.
    pub received_at: Millis,
    /// Who said it at the site.
    pub source: String,
    /// The facts, as JSON; absent where they were not asked for.
    pub facts: Option<String>,
}

macro_rules! select_reports {
    () => {
        "select node, org, kind, subject, number, taken_at, received_at, source,
            case when cast($1 as bigint) = 1 then facts end from reports "
    };
}

/// The number of the newest report of this node, kind and subject; 0 if there is none.
pub async fn newest_number(tx: &mut Tx, node: NodeId, kind: &str, subject: &str) -> Result<u64, StoreError> {
    const SQL: &str = "select number from reports where node = $1 and kind = $2 and subject = $3 and newest = 1";
    let row = tx.query_one_or_none(SQL, &[node.into(), kind.into(), subject.into()]).await?;
    row.map_or(Ok(0), |row| row.columns("reports").number("number"))
}

/// How many kinds and subjects a node has sent reports of.
pub async fn count_kinds(tx: &mut Tx, node: NodeId) -> Result<u64, StoreError> {
    const SQL: &str = "select count(*) from reports where node = $1 and newest = 1";
    let row = tx.query_one_or_none(SQL, &[node.into()]).await?;
    row.map_or(Ok(0), |row| row.columns("reports").number("count"))
}

/// Adds a report, which is the newest of its node, kind and subject from now on; of those before it stay the last
/// `kept`. Its number follows the newest one's, or it is refused with [`NUMBER_TAKEN`].
pub async fn insert(tx: &mut Tx, row: &ReportRow, kept: u64) -> Result<(), StoreError> {
    const FORMER: &str = "update reports set newest = 0 where node = $1 and kind = $2 and subject = $3 and newest = 1";
    const REPORT: &str = "insert into reports
        (node, org, kind, subject, number, taken_at, received_at, source, facts, newest)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1)";
    const OLD: &str = "delete from reports where node = $1 and kind = $2 and subject = $3 and number <= $4";
    let (node, kind, subject) = (row.node.into(), (&row.kind).into(), (&row.subject).into());
    tx.execute(FORMER, &[node, kind, subject]).await?;
    let values = [
        node,
        row.org.into(),
        kind,
        subject,
        row.number.into(),
        row.taken_at.into(),
        row.received_at.into(),
        (&row.source).into(),
        row.facts.as_deref().into(),
    ];
    tx.execute(REPORT, &values).await?;
    tx.execute(OLD, &[node, kind, subject, row.number.saturating_sub(kept + 1).into()]).await.map(drop)
}

/// The newest report of each kind and subject of a node, in their order after this one.
pub async fn newest(
    tx: &mut Tx,
    node: NodeId,
    after: Option<(&str, &str)>,
    limit: u32,
    facts: bool,
) -> Result<Vec<ReportRow>, StoreError> {
    const SQL: &str = concat!(
        select_reports!(),
        "where node = $2 and newest = 1 and kind >= $3 and (kind > $3 or subject > $4)
        order by kind, subject limit $5"
    );
    // Nothing is called so; it comes before everything else.
    let (kind, subject): (Value<'_>, Value<'_>) =
        after.map_or(("".into(), "".into()), |(kind, subject)| (kind.into(), subject.into()));
    tx.query(SQL, &[facts.into(), node.into(), kind, subject, limit.into()]).await?.into_iter().map(read).collect()
}

/// Up to `limit` reports of a node, kind and subject, newest first, below the number `before`.
pub async fn of_kind(
    tx: &mut Tx,
    node: NodeId,
    (kind, subject): (&str, &str),
    before: Option<u64>,
    limit: u32,
    facts: bool,
) -> Result<Vec<ReportRow>, StoreError> {
    const SQL: &str = concat!(
        select_reports!(),
        "where node = $2 and kind = $3 and subject = $4 and number < $5 order by number desc limit $6"
    );
    let before = before.map_or(Value::Int(i64::MAX), Into::into);
    let values = [facts.into(), node.into(), kind.into(), subject.into(), before, limit.into()];
    tx.query(SQL, &values).await?.into_iter().map(read).collect()
}

/// Deletes up to `limit` reports that came before `before` and are not the newest of theirs. Returns how many.
pub async fn delete_before(tx: &mut Tx, before: Millis, limit: u32) -> Result<u64, StoreError> {
    const OLD: &str = "select node, kind, subject, number from reports
        where newest = 0 and received_at < $1 order by received_at limit $2";
    const DELETE: &str = "delete from reports
        where node = $1 and kind = $2 and subject = $3 and number = $4 and newest = 0";
    let read = |row: Row| {
        let mut row = row.columns("reports");
        let node: NodeId = row.id("node")?;
        Ok::<_, StoreError>((node, row.text("kind")?, row.text("subject")?, row.number::<u64>("number")?))
    };
    let rows = tx.query(OLD, &[before.into(), limit.into()]).await?;
    let found = rows.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let values: Vec<[Value<'_>; 4]> = found
        .iter()
        .map(|(node, kind, subject, number)| [(*node).into(), kind.into(), subject.into(), (*number).into()])
        .collect();
    tx.execute_each(DELETE, &values).await
}

fn read(row: Row) -> Result<ReportRow, StoreError> {
    let mut row = row.columns("reports");
    Ok(ReportRow {
        node: row.id("node")?,
        org: row.id("org")?,
        kind: row.text("kind")?,
        subject: row.text("subject")?,
        number: row.number("number")?,
        taken_at: row.millis("taken_at")?,
        received_at: row.millis("received_at")?,
        source: row.text("source")?,
        facts: row.text_or_none("facts")?,
    })
}
