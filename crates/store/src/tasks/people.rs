//! What people read: one task, and lists of them, newest first.

use sortie_rules::ids::{JobId, NodeId, OrgId, TaskId};
use sortie_rules::tasks::{Code, Status};

use super::row::{TaskRow, TaskSummary, read, read_summary, summary_columns, task_columns};
use crate::dialect;
use crate::errors::StoreError;
use crate::tx::Tx;

/// Which tasks a list should have; what is left out does not narrow it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TaskFilter {
    /// Only tasks for this node.
    pub node: Option<NodeId>,
    /// Only tasks in one of these states; empty means all.
    pub status: Vec<Status>,
    /// Only tasks of this type.
    pub type_name: Option<String>,
    /// Only tasks that failed because no lease brought an answer, which an operator can requeue.
    pub dead: bool,
    /// Only tasks of this job.
    pub job: Option<JobId>,
}

/// The org's task of this id.
pub async fn get(tx: &mut Tx, org: OrgId, id: TaskId) -> Result<Option<TaskRow>, StoreError> {
    const SQL: &str = concat!("select ", task_columns!(), " from tasks where id = $2 and org = $1");
    tx.query_one_or_none(SQL, &[org.into(), id.into()]).await?.map(read).transpose()
}

/// What narrows each of the lists below, and their order. $3 is the cursor.
macro_rules! list_tasks {
    ($which:literal) => {
        concat!(
            "select ",
            summary_columns!(),
            " from tasks where ",
            $which,
            " and status = $2 and id < $3 and (cast($4 as text) is null or type_name = $4)
                and (cast($5 as text) is null or code = $5)
            order by id desc limit $6"
        )
    };
}

/// Up to `limit` tasks, newest first, that are older than `before`.
pub async fn list(
    tx: &mut Tx,
    org: OrgId,
    filter: &TaskFilter,
    before: Option<TaskId>,
    limit: u32,
) -> Result<Vec<TaskSummary>, StoreError> {
    // Each of these has an index that gives one status newest first, or holds few rows. The node's
    // org is looked up by itself, so that no engine takes the org's index for a node's list.
    const OF_ORG: &str = list_tasks!("org = $1");
    const OF_NODE_PENDING: &str =
        list_tasks!("node = (select id from nodes where org = $1 and id = $7) and status = 'pending'");
    const OF_NODE_IN_PROGRESS: &str =
        list_tasks!("node = (select id from nodes where org = $1 and id = $7) and status = 'in_progress'");
    const OF_NODE_ENDED: &str =
        list_tasks!("node = (select id from nodes where org = $1 and id = $7) and finished_at is not null");
    const OF_JOB: &str = list_tasks!(
        "job = (select id from jobs where org = $1 and id = $7) and (cast($8 as text) is null or node = $8)"
    );

    let mut tasks = Vec::new();
    for status in statuses(filter) {
        let (sql, values_many) = match (filter.job, filter.node, status) {
            (Some(_), ..) => (OF_JOB, 8),
            (None, None, _) => (OF_ORG, 6),
            (None, Some(_), Status::Pending) => (OF_NODE_PENDING, 7),
            (None, Some(_), Status::InProgress) => (OF_NODE_IN_PROGRESS, 7),
            (None, Some(_), _) => (OF_NODE_ENDED, 7),
        };
        let values = [
            org.into(),
            status.as_str().into(),
            before.map_or(dialect::ABOVE_ALL_IDS.into(), Into::into),
            filter.type_name.as_deref().into(),
            filter.dead.then_some(Code::LEASE_EXPIRED).into(),
            limit.into(),
            filter.job.map_or(filter.node.into(), Into::into),
            filter.node.into(),
        ];
        for row in tx.query(sql, &values[..values_many]).await? {
            tasks.push(read_summary(row)?);
        }
    }
    tasks.sort_unstable_by_key(|task| std::cmp::Reverse(task.id));
    tasks.truncate(limit as usize);
    Ok(tasks)
}

/// The states to look through; the lists of each are merged.
fn statuses(filter: &TaskFilter) -> Vec<Status> {
    let asked = |status: &Status| filter.status.is_empty() || filter.status.contains(status);
    Status::ALL.into_iter().filter(asked).filter(|status| !filter.dead || *status == Status::Failed).collect()
}
