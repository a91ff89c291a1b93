//! Jobs, their nodes, and the turns that hubs take.

use sortie_rules::ids::{DEFAULT_ORG, JobId};
use sortie_rules::jobs::{Counts, Job, JobStatus};
use sortie_rules::tasks::cancel;
use sortie_rules::time::Span;
use sortie_store::jobs::{self, JobRow, OpenJob};
use sortie_store::nodes::{self, NodeFilter};
use sortie_store::tasks::{self, Stamps, TaskFilter};
use sortie_store::{StoreError, Tx};

use crate::setup::{NOW, OTHER_ORG, enroll, id, stories, task};

stories!(
    a_job_is_read_back_as_it_was_written,
    nodes_are_counted_by_their_stage_or_their_task,
    a_node_that_is_revoked_is_skipped,
    a_turn_is_taken_once,
    a_table_shows_each_node,
    a_job_and_its_tasks_go_together,
    jobs_that_are_not_over_are_told_newest_first,
);

fn job_id(number: u128) -> JobId {
    JobId::from_uuid(uuid::Uuid::from_u128(number))
}

fn job(number: u128, nodes: u32) -> JobRow {
    let status = JobStatus::Running;
    JobRow {
        id: job_id(number),
        org: DEFAULT_ORG,
        type_name: "sys.info".into(),
        payload: "{}".into(),
        selector: "{\"all\":true}".into(),
        priority: -3,
        idempotent: true,
        retries_max: 3,
        lease: Span::seconds(60),
        submitted_by: "token:ci".into(),
        submitted_at: NOW,
        traceparent: None,
        life: Job { status, nodes, at_a_time: Some(2), stop_failures: None, stop_percent: Some(5), not_after: None },
        turn: 0,
        finished_at: None,
    }
}

/// A job for two nodes, of which the first was given its task.
async fn half_released(tx: &mut Tx) -> Result<JobRow, StoreError> {
    let (first, second) = (enroll(tx, 1).await?, enroll(tx, 2).await?);
    let row = job(50, 2);
    jobs::insert(tx, &row, &[first, second]).await?;
    let mut given = task(60, first);
    given.job = Some(row.id);
    tasks::insert(tx, &given).await?;
    assert!(jobs::release(tx, row.id, 1, given.id).await?);
    assert!(!jobs::release(tx, row.id, 1, given.id).await?, "it does not wait any more");
    Ok(row)
}

async fn a_job_is_read_back_as_it_was_written(tx: &mut Tx) -> Result<(), StoreError> {
    let node = enroll(tx, 1).await?;
    let (first, second) = (job(50, 1), job(51, 1));
    jobs::insert(tx, &first, &[node]).await?;
    jobs::insert(tx, &second, &[node]).await?;
    assert_eq!(jobs::get_any_org(tx, first.id).await?, Some(first.clone()));
    assert_eq!(jobs::list(tx, DEFAULT_ORG, None, None, 9).await?, [second.clone(), first.clone()]);
    assert_eq!(jobs::list(tx, DEFAULT_ORG, None, Some(second.id), 9).await?, std::slice::from_ref(&first));
    assert_eq!(jobs::list(tx, OTHER_ORG, None, None, 9).await?, []);
    assert_eq!(jobs::open(tx, None, 9).await?, [first.id, second.id]);
    assert_eq!(jobs::open(tx, Some(first.id), 9).await?, [second.id]);
    assert_eq!((jobs::count_open(tx, DEFAULT_ORG).await?, jobs::count_open(tx, OTHER_ORG).await?), (2, 0));
    jobs::set_status(tx, first.id, JobStatus::Completed, Some(NOW)).await?;
    assert_eq!(jobs::open(tx, None, 9).await?, [second.id]);
    assert_eq!(jobs::list(tx, DEFAULT_ORG, Some(JobStatus::Running), None, 9).await?, [second]);
    Ok(())
}

async fn nodes_are_counted_by_their_stage_or_their_task(tx: &mut Tx) -> Result<(), StoreError> {
    let row = half_released(tx).await?;
    assert_eq!(jobs::counts(tx, row.id).await?, Counts { waiting: 1, pending: 1, ..Counts::default() });
    assert_eq!(jobs::waiting(tx, row.id, 0, 9).await?.iter().map(|(place, _)| *place).collect::<Vec<_>>(), [2]);
    assert_eq!(jobs::to_withdraw(tx, row.id, false, 9).await?, [id(60)]);
    assert_eq!(jobs::skip_waiting(tx, row.id, "job_stopped").await?, 1);
    assert_eq!(jobs::counts(tx, row.id).await?, Counts { skipped: 1, pending: 1, ..Counts::default() });
    Ok(())
}

async fn a_node_that_is_revoked_is_skipped(tx: &mut Tx) -> Result<(), StoreError> {
    let row = half_released(tx).await?;
    assert!(!jobs::has_revoked(tx, row.id).await?);
    let all = nodes::list_for_selection(tx, DEFAULT_ORG, &NodeFilter::default(), None, 9).await?;
    assert_eq!(all.len(), 2);
    assert_eq!(
        nodes::list_for_selection(tx, DEFAULT_ORG, &NodeFilter::default(), Some(&all[0].name), 9).await?,
        all[1..]
    );
    assert_eq!(nodes::list_for_selection(tx, OTHER_ORG, &NodeFilter::default(), None, 9).await?, []);
    for node in &all {
        assert!(nodes::revoke(tx, DEFAULT_ORG, node.id, NOW).await?);
    }
    assert!(nodes::get_for_selection(tx, DEFAULT_ORG, &all[1].name).await?.is_some_and(|node| node.is_revoked));
    assert!(jobs::has_revoked(tx, row.id).await?);
    assert_eq!(jobs::at_revoked(tx, row.id, 9).await?, [id(60)], "nobody will begin it");
    assert_eq!(jobs::skip_revoked(tx, row.id).await?, 1, "the other has its task");
    assert_eq!(jobs::counts(tx, row.id).await?, Counts { skipped: 1, pending: 1, ..Counts::default() });
    Ok(())
}

async fn a_turn_is_taken_once(tx: &mut Tx) -> Result<(), StoreError> {
    let row = half_released(tx).await?;
    assert!(jobs::take_turn(tx, row.id, 0).await?);
    assert!(!jobs::take_turn(tx, row.id, 0).await?);
    assert!(jobs::take_turn(tx, row.id, 1).await?);
    Ok(())
}

async fn a_table_shows_each_node(tx: &mut Tx) -> Result<(), StoreError> {
    let row = half_released(tx).await?;
    let all = jobs::nodes(tx, row.id, None, 0, 9).await?;
    let shown: Vec<_> = all.iter().map(|node| (node.position, node.status.as_str(), node.task)).collect();
    assert_eq!(shown, [(1, "pending", Some(id(60))), (2, "waiting", None)]);
    assert_eq!(jobs::nodes(tx, row.id, None, 1, 9).await?, all[1..]);
    assert_eq!(jobs::nodes(tx, row.id, Some("pending"), 0, 9).await?, all[..1]);
    let filter = TaskFilter { job: Some(row.id), ..TaskFilter::default() };
    assert_eq!(tasks::list(tx, DEFAULT_ORG, &filter, None, 9).await?.len(), 1);
    assert_eq!(tasks::list(tx, OTHER_ORG, &filter, None, 9).await?.len(), 0);
    let other = TaskFilter { node: Some(all[1].node), ..filter };
    assert_eq!(tasks::list(tx, DEFAULT_ORG, &other, None, 9).await?.len(), 0);
    Ok(())
}

async fn a_job_and_its_tasks_go_together(tx: &mut Tx) -> Result<(), StoreError> {
    let row = half_released(tx).await?;
    let before = tasks::get_life(tx, id(60)).await?.expect("it is there").life;
    let after = cancel(&before).expect("it waits");
    let stamps = Stamps { finished_at: Some(NOW), ..Stamps::default() };
    assert!(tasks::update(tx, id(60), &before, &after, &stamps).await?);
    let later = NOW + Span::seconds(1);
    assert_eq!(tasks::delete_finished_before(tx, later, 9).await?, 0, "its job is not over");
    jobs::set_status(tx, row.id, JobStatus::Cancelled, Some(NOW)).await?;
    assert_eq!(jobs::delete_finished_before(tx, later, 9).await?, 0, "its tasks are its table");
    assert_eq!(tasks::delete_finished_before(tx, later, 9).await?, 1);
    assert_eq!(jobs::nodes(tx, row.id, None, 0, 1).await?[0].status, "forgotten");
    assert_eq!(jobs::delete_finished_before(tx, later, 9).await?, 1);
    assert_eq!(jobs::get_any_org(tx, row.id).await?, None);
    Ok(())
}

async fn jobs_that_are_not_over_are_told_newest_first(tx: &mut Tx) -> Result<(), StoreError> {
    let node = enroll(tx, 1).await?;
    for number in [51, 53, 52] {
        jobs::insert(tx, &job(number, 1), &[node]).await?;
    }
    let open =
        |number| OpenJob { id: job_id(number), type_name: "sys.info".into(), status: JobStatus::Running, nodes: 1 };
    assert_eq!(jobs::open_of_org(tx, DEFAULT_ORG, 9).await?, [open(53), open(52), open(51)]);
    jobs::set_status(tx, job_id(52), JobStatus::Cancelled, Some(NOW)).await?;
    assert_eq!(jobs::open_of_org(tx, DEFAULT_ORG, 9).await?, [open(53), open(51)]);
    assert_eq!(jobs::open_of_org(tx, DEFAULT_ORG, 1).await?.len(), 1);
    assert_eq!(jobs::open_of_org(tx, OTHER_ORG, 9).await?, []);
    Ok(())
}
