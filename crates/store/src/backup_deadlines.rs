//! `backup_deadlines`: by when an org expects backups, and how far that was judged.

use sortie_rules::ids::OrgId;
use sortie_rules::time::Millis;

use crate::errors::StoreError;
use crate::row::Row;
use crate::tx::Tx;

/// By when backups of a target are expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadlineRow {
    /// Whose it is.
    pub org: OrgId,
    /// Its name.
    pub name: String,
    /// The target.
    pub target: String,
    /// By when, as JSON.
    pub deadline: String,
    /// Of which nodes, as JSON.
    pub selector: String,
    /// Who said so.
    pub changed_by: String,
    /// When.
    pub changed_at: Millis,
    /// How far it was judged.
    pub judged: Judged,
    /// Rises with every change.
    pub turn: u64,
}

/// How far a deadline was judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// When its next day is judged.
    pub judge_at: Millis,
    /// The deadline of the day that is being judged, and the name of the node up to which it was.
    pub judging: Option<(Millis, String)>,
}

macro_rules! select_deadlines {
    ($end:literal) => {
        concat!(
            "select org, name, target, deadline, selector, changed_by, changed_at, judge_at, judging, judged_to, turn
                from backup_deadlines ",
            $end
        )
    };
}

/// One of an org.
pub async fn get(tx: &mut Tx, org: OrgId, name: &str) -> Result<Option<DeadlineRow>, StoreError> {
    const SQL: &str = select_deadlines!("where org = $1 and name = $2");
    tx.query_one_or_none(SQL, &[org.into(), name.into()]).await?.map(read).transpose()
}

/// All of an org, by name. Their number is limited where they are put.
pub async fn list(tx: &mut Tx, org: OrgId) -> Result<Vec<DeadlineRow>, StoreError> {
    const SQL: &str = select_deadlines!("where org = $1 order by name");
    tx.query(SQL, &[org.into()]).await?.into_iter().map(read).collect()
}

/// Up to `limit` of all orgs that are to be judged by `now`, the longest due first.
pub async fn due(tx: &mut Tx, now: Millis, limit: u32) -> Result<Vec<DeadlineRow>, StoreError> {
    const SQL: &str = select_deadlines!("where judge_at <= $1 order by judge_at limit $2");
    tx.query(SQL, &[now.into(), limit.into()]).await?.into_iter().map(read).collect()
}

/// Says this, in place of what was said under its name. Whoever judges that one finds another turn.
pub async fn put(tx: &mut Tx, row: &DeadlineRow) -> Result<(), StoreError> {
    const SQL: &str = "insert into backup_deadlines
        (org, name, target, deadline, selector, changed_by, changed_at, judge_at, judging, judged_to, turn)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0)
        on conflict (org, name) do update set target = excluded.target, deadline = excluded.deadline,
            selector = excluded.selector, changed_by = excluded.changed_by, changed_at = excluded.changed_at,
            judge_at = excluded.judge_at, judging = excluded.judging, judged_to = excluded.judged_to,
            turn = backup_deadlines.turn + 1";
    let (judging, judged_to) = split(&row.judged);
    let values = [
        row.org.into(),
        (&row.name).into(),
        (&row.target).into(),
        (&row.deadline).into(),
        (&row.selector).into(),
        (&row.changed_by).into(),
        row.changed_at.into(),
        row.judged.judge_at.into(),
        judging.into(),
        judged_to.into(),
    ];
    tx.execute(SQL, &values).await.map(drop)
}

/// Writes down how far one was judged. `false` if it was changed since it was read, or somebody else has judged: then
/// nothing of the transaction may stand.
pub async fn move_on(tx: &mut Tx, (org, name): (OrgId, &str), turn: u64, judged: &Judged) -> Result<bool, StoreError> {
    const SQL: &str = "update backup_deadlines set judge_at = $4, judging = $5, judged_to = $6, turn = turn + 1
        where org = $1 and name = $2 and turn = $3";
    let (judging, judged_to) = split(judged);
    let values = [org.into(), name.into(), turn.into(), judged.judge_at.into(), judging.into(), judged_to.into()];
    Ok(tx.execute(SQL, &values).await? == 1)
}

/// Expects it no more. `false` if nothing of that name was expected.
pub async fn delete(tx: &mut Tx, org: OrgId, name: &str) -> Result<bool, StoreError> {
    const SQL: &str = "delete from backup_deadlines where org = $1 and name = $2";
    Ok(tx.execute(SQL, &[org.into(), name.into()]).await? > 0)
}

fn split(judged: &Judged) -> (Option<Millis>, &str) {
    judged.judging.as_ref().map_or((None, ""), |(due_at, name)| (Some(*due_at), name))
}

fn read(row: Row) -> Result<DeadlineRow, StoreError> {
    let mut row = row.columns("backup_deadlines");
    let (org, name, target) = (row.id("org")?, row.text("name")?, row.text("target")?);
    let (deadline, selector) = (row.text("deadline")?, row.text("selector")?);
    let (changed_by, changed_at) = (row.text("changed_by")?, row.millis("changed_at")?);
    let (judge_at, judging) = (row.millis("judge_at")?, row.millis_or_none("judging")?);
    let judged_to = row.text("judged_to")?;
    let judged = Judged { judge_at, judging: judging.map(|due_at| (due_at, judged_to)) };
    Ok(DeadlineRow { org, name, target, deadline, selector, changed_by, changed_at, judged, turn: row.number("turn")? })
}
