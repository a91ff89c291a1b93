//! `jobs` and `job_nodes`: one request for many nodes, and which of them have their task.
//!
//! How a node fares is said by its task; here stands only who waits, who was given a task, and who never
//! will be. Each step of a job takes its turn first, so that of two hubs one takes it.

use sortie_rules::ids::{JobId, NodeId, OrgId, TaskId};
use sortie_rules::jobs::{Counts, Job, JobStatus};
use sortie_rules::tasks::Status;
use sortie_rules::time::{Millis, Span};

use crate::dialect;
use crate::errors::StoreError;
use crate::row::Row;
use crate::tx::Tx;
use crate::value::Value;

/// A job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobRow {
    /// Its id.
    pub id: JobId,
    /// Whose it is.
    pub org: OrgId,
    /// What each node is to do.
    pub type_name: String,
    /// What that is about, as JSON.
    pub payload: String,
    /// Which nodes were asked for, as JSON.
    pub selector: String,
    /// Of its tasks: higher goes first.
    pub priority: i32,
    /// Whether the work may be done again after a crash cut it.
    pub idempotent: bool,
    /// How often each task may be tried again.
    pub retries_max: u32,
    /// How long a claim of its tasks lasts.
    pub lease: Span,
    /// Who asked for it.
    pub submitted_by: String,
    /// When.
    pub submitted_at: Millis,
    /// The trace that it belongs to.
    pub traceparent: Option<String>,
    /// Where it stands, and its limits.
    pub life: Job,
    /// Rises with each step.
    pub turn: u32,
    /// When it was over.
    pub finished_at: Option<Millis>,
}

/// How a node of a job fares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobNodeRow {
    /// Its place in the job, from 1.
    pub position: u32,
    /// The node.
    pub node: NodeId,
    /// Its name.
    pub name: String,
    /// Its task, if it was given one that is still kept.
    pub task: Option<TaskId>,
    /// `waiting`, `skipped`, or the status of its task.
    pub status: String,
    /// Why it did not complete.
    pub code: Option<String>,
    /// The same in a sentence.
    pub message: Option<String>,
    /// When its task was submitted.
    pub submitted_at: Option<Millis>,
    /// When its task ended.
    pub finished_at: Option<Millis>,
}

macro_rules! columns {
    () => {
        "id, org, type_name, payload, selector, priority, idempotent, retries_max, lease_ms, not_after, nodes, \
         at_a_time, stop_failures, stop_percent, submitted_by, submitted_at, traceparent, status, turn, finished_at"
    };
}

/// Adds a job for these nodes, in this order.
pub async fn insert(tx: &mut Tx, job: &JobRow, nodes: &[NodeId]) -> Result<(), StoreError> {
    const JOB: &str = concat!(
        "insert into jobs (",
        columns!(),
        ") values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)"
    );
    const NODE: &str = "insert into job_nodes (job, position, node, stage) values ($1, $2, $3, 'waiting')";
    let values = [
        job.id.into(),
        job.org.into(),
        (&job.type_name).into(),
        (&job.payload).into(),
        (&job.selector).into(),
        job.priority.into(),
        job.idempotent.into(),
        job.retries_max.into(),
        job.lease.into(),
        job.life.not_after.into(),
        job.life.nodes.into(),
        job.life.at_a_time.into(),
        job.life.stop_failures.into(),
        job.life.stop_percent.into(),
        (&job.submitted_by).into(),
        job.submitted_at.into(),
        job.traceparent.as_deref().into(),
        job.life.status.as_str().into(),
        job.turn.into(),
        job.finished_at.into(),
    ];
    tx.execute(JOB, &values).await?;
    let rows: Vec<[Value<'_>; 3]> =
        (1_u32..).zip(nodes).map(|(position, node)| [job.id.into(), position.into(), (*node).into()]).collect();
    tx.execute_each(NODE, &rows).await.map(drop)
}

/// The job of this id, in whichever org.
pub async fn get_any_org(tx: &mut Tx, id: JobId) -> Result<Option<JobRow>, StoreError> {
    const SQL: &str = concat!("select ", columns!(), " from jobs where id = $1");
    tx.query_one_or_none(SQL, &[id.into()]).await?.map(read).transpose()
}

/// Up to `limit` jobs of an org, newest first, that are older than `before`.
pub async fn list(
    tx: &mut Tx,
    org: OrgId,
    status: Option<JobStatus>,
    before: Option<JobId>,
    limit: u32,
) -> Result<Vec<JobRow>, StoreError> {
    const SQL: &str = concat!(
        "select ",
        columns!(),
        " from jobs where org = $1 and id < $2 and (cast($3 as text) is null or status = $3) order by id desc limit $4"
    );
    let before = before.map_or(dialect::ABOVE_ALL_IDS.into(), Into::into);
    let values = [org.into(), before, status.map(JobStatus::as_str).into(), limit.into()];
    tx.query(SQL, &values).await?.into_iter().map(read).collect()
}

/// Up to `limit` jobs of all orgs that are not over, after the one `after`, the oldest first.
pub async fn open(tx: &mut Tx, after: Option<JobId>, limit: u32) -> Result<Vec<JobId>, StoreError> {
    const SQL: &str = "select id from jobs where finished_at is null and id > $1 order by id limit $2";
    let rows = tx.query(SQL, &[after.map_or("".into(), Into::into), limit.into()]).await?;
    rows.into_iter().map(|row| row.columns("jobs").id("id")).collect()
}

/// How many jobs of an org are not over.
pub async fn count_open(tx: &mut Tx, org: OrgId) -> Result<u64, StoreError> {
    const SQL: &str = "select count(*) from jobs where org = $1 and finished_at is null";
    let row = tx.query_one_or_none(SQL, &[org.into()]).await?;
    row.map_or(Ok(0), |row| row.columns("jobs").number("count"))
}

/// A job that is not over, with what a summary tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenJob {
    /// Its id.
    pub id: JobId,
    /// What each node is to do.
    pub type_name: String,
    /// Where it stands.
    pub status: JobStatus,
    /// How many nodes it is for.
    pub nodes: u32,
}

/// The jobs of an org that are not over, newest first: at most `limit`, and no order if there are more.
pub async fn open_of_org(tx: &mut Tx, org: OrgId, limit: u64) -> Result<Vec<OpenJob>, StoreError> {
    // Without an order, so that no engine takes the index that has all jobs in it.
    const SQL: &str = "select id, type_name, status, nodes from jobs where org = $1 and finished_at is null limit $2";
    let read = |row: Row| {
        let mut row = row.columns("jobs");
        let (id, type_name) = (row.id("id")?, row.text("type_name")?);
        Ok::<_, StoreError>(OpenJob {
            id,
            type_name,
            status: row.word("status", JobStatus::parse)?,
            nodes: row.number("nodes")?,
        })
    };
    let rows = tx.query(SQL, &[org.into(), limit.into()]).await?;
    let mut open = rows.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
    open.sort_unstable_by_key(|job| std::cmp::Reverse(job.id));
    Ok(open)
}

/// How many of its nodes stand where.
pub async fn counts(tx: &mut Tx, id: JobId) -> Result<Counts, StoreError> {
    const STAGES: &str = "select stage, count(*) from job_nodes where job = $1 and stage <> 'released' group by stage";
    const TASKS: &str = "select status, count(*) from tasks where job = $1 group by status";
    let mut counts = Counts::default();
    for row in tx.query(STAGES, &[id.into()]).await? {
        let mut row = row.columns("job_nodes");
        let stage = row.text("stage")?;
        let many = row.number("count")?;
        *(if stage == "waiting" { &mut counts.waiting } else { &mut counts.skipped }) = many;
    }
    for row in tx.query(TASKS, &[id.into()]).await? {
        let mut row = row.columns("tasks");
        let place = match row.word("status", Status::parse)? {
            Status::Pending => &mut counts.pending,
            Status::InProgress => &mut counts.in_progress,
            Status::Completed => &mut counts.completed,
            Status::Failed => &mut counts.failed,
            Status::Rejected => &mut counts.rejected,
            Status::Cancelled => &mut counts.cancelled,
            Status::Expired => &mut counts.expired,
        };
        *place = row.number("count")?;
    }
    Ok(counts)
}

/// Takes the next step's turn. `false` if another hub, or somebody who steers, was quicker.
pub async fn take_turn(tx: &mut Tx, id: JobId, turn: u32) -> Result<bool, StoreError> {
    const SQL: &str = "update jobs set turn = turn + 1 where id = $1 and turn = $2";
    Ok(tx.execute(SQL, &[id.into(), turn.into()]).await? > 0)
}

/// Writes down where it stands now, and with its end when that was.
pub async fn set_status(
    tx: &mut Tx,
    id: JobId,
    status: JobStatus,
    finished_at: Option<Millis>,
) -> Result<(), StoreError> {
    const SQL: &str = "update jobs set status = $2, finished_at = $3 where id = $1";
    tx.execute(SQL, &[id.into(), status.as_str().into(), finished_at.into()]).await.map(drop)
}

/// Up to `limit` nodes that wait after the place `after`, each with its place.
pub async fn waiting(tx: &mut Tx, id: JobId, after: u32, limit: u32) -> Result<Vec<(u32, NodeId)>, StoreError> {
    const SQL: &str = "select position, node from job_nodes
        where job = $1 and stage = 'waiting' and position > $2 order by position limit $3";
    let rows = tx.query(SQL, &[id.into(), after.into(), limit.into()]).await?;
    let read = |row: Row| {
        let mut row = row.columns("job_nodes");
        Ok((row.number("position")?, row.id("node")?))
    };
    rows.into_iter().map(read).collect()
}

/// Notes that a node was given its task. `false` if it does not wait any more.
pub async fn release(tx: &mut Tx, id: JobId, position: u32, task: TaskId) -> Result<bool, StoreError> {
    const SQL: &str = "update job_nodes set stage = 'released', task = $3
        where job = $1 and position = $2 and stage = 'waiting'";
    Ok(tx.execute(SQL, &[id.into(), position.into(), task.into()]).await? > 0)
}

/// Leaves out every node that still waits. Returns how many.
pub async fn skip_waiting(tx: &mut Tx, id: JobId, code: &str) -> Result<u64, StoreError> {
    const SQL: &str = "update job_nodes set stage = 'skipped', code = $2 where job = $1 and stage = 'waiting'";
    tx.execute(SQL, &[id.into(), code.into()]).await
}

/// Leaves out the nodes that wait and were revoked meanwhile. Returns how many.
pub async fn skip_revoked(tx: &mut Tx, id: JobId) -> Result<u64, StoreError> {
    const SQL: &str = "update job_nodes set stage = 'skipped', code = 'node_revoked'
        where job = $1 and stage = 'waiting'
            and exists (select 1 from nodes where nodes.id = job_nodes.node and revoked_at is not null)";
    tx.execute(SQL, &[id.into()]).await
}

/// Whether a node that waits was revoked.
pub async fn has_revoked(tx: &mut Tx, id: JobId) -> Result<bool, StoreError> {
    const SQL: &str = "select position from job_nodes
        where job = $1 and stage = 'waiting'
            and exists (select 1 from nodes where nodes.id = job_nodes.node and revoked_at is not null)
        limit 1";
    Ok(!tx.query(SQL, &[id.into()]).await?.is_empty())
}

/// Up to `limit` tasks of the job that wait for nodes that were revoked: nobody will begin them.
pub async fn at_revoked(tx: &mut Tx, id: JobId, limit: u32) -> Result<Vec<TaskId>, StoreError> {
    const SQL: &str = "select t.id from tasks t join nodes n on n.id = t.node
        where t.job = $1 and t.status = 'pending' and n.revoked_at is not null limit $2";
    let rows = tx.query(SQL, &[id.into(), limit.into()]).await?;
    rows.into_iter().map(|row| row.columns("tasks").id("id")).collect()
}

/// Up to `limit` tasks of the job that wait, and with `under_way` those under way that nobody has asked
/// to stop.
pub async fn to_withdraw(tx: &mut Tx, id: JobId, under_way: bool, limit: u32) -> Result<Vec<TaskId>, StoreError> {
    const SQL: &str = "select id from tasks where job = $1
            and (status = 'pending' or (status = 'in_progress' and cancel_asked = 0 and cast($2 as bigint) = 1))
        limit $3";
    let rows = tx.query(SQL, &[id.into(), under_way.into(), limit.into()]).await?;
    rows.into_iter().map(|row| row.columns("tasks").id("id")).collect()
}

/// A page of a job's table, in the order of places after `after`; with `status` only the nodes of which
/// that is said.
pub async fn nodes(
    tx: &mut Tx,
    id: JobId,
    status: Option<&str>,
    after: u32,
    limit: u32,
) -> Result<Vec<JobNodeRow>, StoreError> {
    const SQL: &str = "select j.position, j.node, n.name, t.id,
            case when j.stage = 'released' then coalesce(t.status, 'forgotten') else j.stage end,
            coalesce(j.code, t.code), t.message, t.submitted_at, t.finished_at
        from job_nodes j join nodes n on n.id = j.node left join tasks t on t.id = j.task
        where j.job = $1 and j.position > $2
            and (cast($3 as text) is null
                or case when j.stage = 'released' then coalesce(t.status, 'forgotten') else j.stage end = $3)
        order by j.position limit $4";
    let values = [id.into(), after.into(), status.into(), limit.into()];
    let read = |row: Row| {
        let mut row = row.columns("job_nodes");
        Ok(JobNodeRow {
            position: row.number("position")?,
            node: row.id("node")?,
            name: row.text("name")?,
            task: row.id_or_none("task")?,
            status: row.text("status")?,
            code: row.text_or_none("code")?,
            message: row.text_or_none("message")?,
            submitted_at: row.millis_or_none("submitted_at")?,
            finished_at: row.millis_or_none("finished_at")?,
        })
    };
    tx.query(SQL, &values).await?.into_iter().map(read).collect()
}

/// Deletes up to `limit` jobs that were over before `before` and whose tasks have gone. Returns how many.
pub async fn delete_finished_before(tx: &mut Tx, before: Millis, limit: u32) -> Result<u64, StoreError> {
    const SQL: &str = "delete from jobs where id in (select id from jobs
        where finished_at is not null and finished_at < $1
            and not exists (select 1 from tasks where tasks.job = jobs.id)
        order by finished_at limit $2)";
    tx.execute(SQL, &[before.into(), limit.into()]).await
}

fn read(row: Row) -> Result<JobRow, StoreError> {
    let mut row = row.columns("jobs");
    let (id, org, type_name) = (row.id("id")?, row.id("org")?, row.text("type_name")?);
    let (payload, selector) = (row.text("payload")?, row.text("selector")?);
    let (priority, idempotent) = (row.number("priority")?, row.flag("idempotent")?);
    let (retries_max, lease) = (row.number("retries_max")?, row.span("lease_ms")?);
    let not_after = row.millis_or_none("not_after")?;
    let nodes = row.number("nodes")?;
    let at_a_time = row.number_or_none("at_a_time")?;
    let stop_failures = row.number_or_none("stop_failures")?;
    let stop_percent = row.number_or_none("stop_percent")?;
    let (submitted_by, submitted_at) = (row.text("submitted_by")?, row.millis("submitted_at")?);
    let traceparent = row.text_or_none("traceparent")?;
    let status = row.word("status", JobStatus::parse)?;
    Ok(JobRow {
        id,
        org,
        type_name,
        payload,
        selector,
        priority,
        idempotent,
        retries_max,
        lease,
        submitted_by,
        submitted_at,
        traceparent,
        life: Job { status, nodes, at_a_time, stop_failures, stop_percent, not_after },
        turn: row.number("turn")?,
        finished_at: row.millis_or_none("finished_at")?,
    })
}
