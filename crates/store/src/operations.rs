//! `operations`: privileged work from its proposal until enough operators have signed it. Then it is a task of
//! the same id, which says the rest.

use sortie_rules::ids::{NodeId, OrgId, TaskId};
use sortie_rules::operations::Stage;
use sortie_rules::tasks::{Code, Status};
use sortie_rules::time::{Millis, Span};

use crate::dialect;
use crate::errors::StoreError;
use crate::row::{Columns, Row};
use crate::tx::Tx;

/// One operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationRow {
    /// Its id, and its task's.
    pub id: TaskId,
    /// Whose it is.
    pub org: OrgId,
    /// The node that is to do it.
    pub node: NodeId,
    /// That node's key when it was proposed, as a fingerprint.
    pub node_key: String,
    /// What sort of work it is.
    pub type_name: String,
    /// What the work is about, as JSON.
    pub payload: String,
    /// Why it was proposed.
    pub reason: Option<String>,
    /// How many operators shall sign it.
    pub wanted: u32,
    /// How long it may be carried out after it was signed first.
    pub valid: Span,
    /// Who proposed it.
    pub proposed_by: String,
    /// When.
    pub proposed_at: Millis,
    /// When it expires if too few have signed it by then: no later than what was signed first.
    pub ends_at: Millis,
    /// The trace that it belongs to.
    pub traceparent: Option<String>,
    /// Where it stands.
    pub stage: Stage,
    /// What was signed, with the signatures so far, as JSON.
    pub envelope: Option<String>,
    /// Who brought which signature, as JSON.
    pub signed_by: String,
    /// When it was released, or ended.
    pub ended_at: Option<Millis>,
    /// What was said about its end.
    pub message: Option<String>,
}

/// What became of a released operation, as its task says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Where the task stands.
    pub status: Status,
    /// Why it did not complete.
    pub code: Option<Code>,
    /// What was last said about it.
    pub message: Option<String>,
}

macro_rules! columns {
    () => {
        "o.id, o.org, o.node, o.node_key, o.type_name, o.payload, o.reason, o.wanted, o.valid_ms, o.proposed_by,
         o.proposed_at, o.ends_at, o.traceparent, o.stage, o.envelope, o.signed_by, o.ended_at, o.message"
    };
}

/// Adds one that waits for signatures.
pub async fn insert(tx: &mut Tx, row: &OperationRow) -> Result<(), StoreError> {
    const SQL: &str = "insert into operations (id, org, node, node_key, type_name, payload, reason, wanted, valid_ms,
            proposed_by, proposed_at, ends_at, traceparent, stage, signed_by)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";
    let values = [
        row.id.into(),
        row.org.into(),
        row.node.into(),
        (&row.node_key).into(),
        (&row.type_name).into(),
        (&row.payload).into(),
        row.reason.as_deref().into(),
        row.wanted.into(),
        row.valid.into(),
        (&row.proposed_by).into(),
        row.proposed_at.into(),
        row.ends_at.into(),
        row.traceparent.as_deref().into(),
        Stage::AwaitingSignature.as_str().into(),
        (&row.signed_by).into(),
    ];
    tx.execute(SQL, &values).await.map(drop)
}

/// The operation of this id.
pub async fn get(tx: &mut Tx, id: TaskId) -> Result<Option<OperationRow>, StoreError> {
    const SQL: &str = concat!("select ", columns!(), " from operations o where o.id = $1");
    tx.query_one_or_none(SQL, &[id.into()]).await?.map(|row| read(&mut row.columns("operations"))).transpose()
}

/// What became of the task of a released operation.
pub async fn outcome(tx: &mut Tx, id: TaskId) -> Result<Option<Outcome>, StoreError> {
    const SQL: &str = "select status, code, message from tasks where id = $1";
    let row = tx.query_one_or_none(SQL, &[id.into()]).await?;
    row.map(|row| read_outcome(&mut row.columns("tasks"))).transpose().map(Option::flatten)
}

/// Which operations a list should have; what is left out does not narrow it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OperationFilter {
    /// Only those that wait for signatures at this time.
    pub waiting_at: Option<Millis>,
    /// Only those that stand at one of these at this time: by themselves, or with a task that does. Empty means all.
    pub standing: Vec<Standing>,
    /// Only those for this node.
    pub node: Option<NodeId>,
    /// Only those of this type.
    pub type_name: Option<String>,
}

/// Where an operation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// By itself.
    Stage(Stage),
    /// As its task does. One whose task has been forgotten counts as completed.
    Task(Status),
}

impl Standing {
    /// The word that the list's statement makes of a row.
    fn word(self) -> &'static str {
        match self {
            Standing::Stage(stage) => stage.as_str(),
            Standing::Task(Status::Pending) => "task_pending",
            Standing::Task(Status::InProgress) => "task_in_progress",
            Standing::Task(Status::Completed) => "task_completed",
            Standing::Task(Status::Failed) => "task_failed",
            Standing::Task(Status::Rejected) => "task_rejected",
            Standing::Task(Status::Cancelled) => "task_cancelled",
            Standing::Task(Status::Expired) => "task_expired",
        }
    }
}

/// Up to `limit` operations of an org before `before`, newest first, with what became of their tasks. `now` is the time
/// at which one that waits for signatures beyond its end has expired.
pub async fn list(
    tx: &mut Tx,
    org: OrgId,
    filter: &OperationFilter,
    now: Millis,
    before: Option<TaskId>,
    limit: u32,
) -> Result<Vec<(OperationRow, Option<Outcome>)>, StoreError> {
    const ALL: &str = concat!(
        "select ",
        columns!(),
        ", t.status, t.code, t.message from operations o left join tasks t on t.id = o.id
         where o.org = $1 and o.id < $2
             and (cast($4 as text) is null or o.node = $4) and (cast($5 as text) is null or o.type_name = $5)
             and (cast($6 as text) is null or $6 like '%,' || case
                 when o.stage = 'released' then 'task_' || coalesce(t.status, 'completed')
                 when o.stage = 'awaiting_signature' and o.ends_at <= $7 then 'expired'
                 else o.stage end || ',%')
         order by o.id desc limit $3"
    );
    const WAITING: &str = concat!(
        "select ",
        columns!(),
        ", t.status, t.code, t.message from operations o left join tasks t on t.id = o.id
         where o.org = $1 and o.id < $2 and o.stage = 'awaiting_signature' and o.ends_at > $4
         order by o.id desc limit $3"
    );
    let before = before.map_or(dialect::ABOVE_ALL_IDS.into(), Into::into);
    let rows = match filter {
        // The list that is asked for most has an index of its own.
        OperationFilter { waiting_at: Some(at), node: None, type_name: None, .. } => {
            tx.query(WAITING, &[org.into(), before, limit.into(), (*at).into()]).await?
        }
        OperationFilter { waiting_at, standing, node, type_name } => {
            let waiting = waiting_at.map(|_| Stage::AwaitingSignature.as_str());
            let words = standing.iter().map(|standing| standing.word()).filter(|_| waiting.is_none());
            let words: Vec<&str> = words.chain(waiting).collect();
            let words = (!words.is_empty()).then(|| format!(",{},", words.join(",")));
            let (node, type_name) = ((*node).into(), type_name.as_deref().into());
            let (words, now) = (words.as_deref().into(), waiting_at.unwrap_or(now).into());
            tx.query(ALL, &[org.into(), before, limit.into(), node, type_name, words, now]).await?
        }
    };
    let both = |row: Row| {
        let mut row = row.columns("operations");
        Ok((read(&mut row)?, read_outcome(&mut row)?))
    };
    rows.into_iter().map(both).collect()
}

/// How many operations of an org wait for signatures.
pub async fn count_waiting(tx: &mut Tx, org: OrgId) -> Result<u64, StoreError> {
    const SQL: &str = "select count(*) from operations where org = $1 and stage = 'awaiting_signature'";
    let row = tx.query_one_or_none(SQL, &[org.into()]).await?;
    row.map_or(Ok(0), |row| row.columns("operations").number("count"))
}

/// Writes down what changes with a signature or an end, if nobody has changed it since it was read. `false` if
/// somebody has.
pub async fn change(tx: &mut Tx, before: &OperationRow, after: &OperationRow) -> Result<bool, StoreError> {
    const SQL: &str = "update operations set stage = $1, envelope = $2, signed_by = $3, ends_at = $4, ended_at = $5,
            message = $6
        where id = $7 and stage = $8 and signed_by = $9";
    let values = [
        after.stage.as_str().into(),
        after.envelope.as_deref().into(),
        (&after.signed_by).into(),
        after.ends_at.into(),
        after.ended_at.into(),
        after.message.as_deref().into(),
        after.id.into(),
        before.stage.as_str().into(),
        (&before.signed_by).into(),
    ];
    Ok(tx.execute(SQL, &values).await? > 0)
}

/// Up to `limit` operations that wait for signatures beyond their time.
pub async fn overdue(tx: &mut Tx, now: Millis, limit: u32) -> Result<Vec<OperationRow>, StoreError> {
    const SQL: &str = concat!(
        "select ",
        columns!(),
        " from operations o where o.stage = 'awaiting_signature' and o.ends_at <= $1 order by o.ends_at limit $2"
    );
    let rows = tx.query(SQL, &[now.into(), limit.into()]).await?;
    rows.into_iter().map(|row| read(&mut row.columns("operations"))).collect()
}

/// Deletes up to `limit` operations that ended before `before` and have no task any more. Returns how many.
pub async fn delete_ended_before(tx: &mut Tx, before: Millis, limit: u32) -> Result<u64, StoreError> {
    const SQL: &str = "delete from operations where id in (select o.id from operations o
        where o.ended_at is not null and o.ended_at < $1
            and not exists (select 1 from tasks t where t.id = o.id) order by o.ended_at limit $2)";
    tx.execute(SQL, &[before.into(), limit.into()]).await
}

fn read(row: &mut Columns) -> Result<OperationRow, StoreError> {
    Ok(OperationRow {
        id: row.id("id")?,
        org: row.id("org")?,
        node: row.id("node")?,
        node_key: row.text("node_key")?,
        type_name: row.text("type_name")?,
        payload: row.text("payload")?,
        reason: row.text_or_none("reason")?,
        wanted: row.number("wanted")?,
        valid: row.span("valid_ms")?,
        proposed_by: row.text("proposed_by")?,
        proposed_at: row.millis("proposed_at")?,
        ends_at: row.millis("ends_at")?,
        traceparent: row.text_or_none("traceparent")?,
        stage: row.word("stage", Stage::parse)?,
        envelope: row.text_or_none("envelope")?,
        signed_by: row.text("signed_by")?,
        ended_at: row.millis_or_none("ended_at")?,
        message: row.text_or_none("message")?,
    })
}

fn read_outcome(row: &mut Columns) -> Result<Option<Outcome>, StoreError> {
    let status = row.text_or_none("status")?;
    let (code, message) = (row.text_or_none("code")?.map(Code), row.text_or_none("message")?);
    let Some(word) = status else { return Ok(None) };
    let status = Status::parse(&word).ok_or_else(|| row.corrupt("status", "is an unknown word"))?;
    Ok(Some(Outcome { status, code, message }))
}
