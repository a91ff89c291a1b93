//! Operations and the sets of operators.

use sortie_rules::ids::{DEFAULT_ORG, OrgId, TaskId};
use sortie_rules::operations::Stage;
use sortie_rules::tasks::Status;
use sortie_rules::time::{Millis, Span};
use sortie_store::operations::{self, OperationFilter, OperationRow, Outcome, Standing};
use sortie_store::operator_sets::{self, OperatorSetRow, VERSION_TAKEN};
use sortie_store::{Store, StoreError, Tx, tasks};

use crate::setup::{NOW, OTHER_ORG, enroll, id, store_stories, stories, task};

stories!(
    an_operation_waits_is_signed_and_is_a_task,
    operations_are_listed_newest_first,
    a_list_of_operations_is_narrowed_by_each_part_of_its_filter,
    an_operation_that_somebody_changed_is_not_changed_again,
    operations_beyond_their_time_are_found_and_old_ones_go,
    sets_of_operators_follow_each_other,
);

fn proposed(operation: TaskId) -> OperationRow {
    OperationRow {
        id: operation,
        org: DEFAULT_ORG,
        node: id(1),
        node_key: "aa".to_owned(),
        type_name: "host.reboot".to_owned(),
        payload: "{}".to_owned(),
        reason: Some("a new kernel".to_owned()),
        wanted: 2,
        valid: Span::days(1),
        proposed_by: "ada".to_owned(),
        proposed_at: NOW,
        ends_at: NOW + Span::days(30),
        traceparent: None,
        stage: Stage::AwaitingSignature,
        envelope: None,
        signed_by: "[]".to_owned(),
        ended_at: None,
        message: None,
    }
}

fn released(before: &OperationRow) -> OperationRow {
    OperationRow {
        stage: Stage::Released,
        envelope: Some("{\"e\":1}".to_owned()),
        signed_by: "[1]".to_owned(),
        ends_at: NOW + Span::days(1),
        ended_at: Some(NOW),
        ..before.clone()
    }
}

async fn an_operation_waits_is_signed_and_is_a_task(tx: &mut Tx) -> Result<(), StoreError> {
    enroll(tx, 1).await?;
    let row = proposed(id(1));
    operations::insert(tx, &row).await?;
    assert_eq!(operations::get(tx, row.id).await?, Some(row.clone()));
    assert_eq!(operations::outcome(tx, row.id).await?, None);
    let after = released(&row);
    assert!(operations::change(tx, &row, &after).await?);
    let mut work = task(1, id(1));
    work.operation = after.envelope.clone();
    tasks::insert(tx, &work).await?;
    assert_eq!(operations::get(tx, row.id).await?, Some(after));
    assert_eq!(tasks::get_any_org(tx, work.id).await?.unwrap().operation, work.operation);
    let pending = Outcome { status: Status::Pending, code: None, message: None };
    assert_eq!(operations::outcome(tx, row.id).await?, Some(pending));
    Ok(())
}

async fn list(
    tx: &mut Tx,
    org: OrgId,
    filter: &OperationFilter,
    before: Option<TaskId>,
    limit: u32,
) -> Result<Vec<(OperationRow, Option<Outcome>)>, StoreError> {
    operations::list(tx, org, filter, NOW, before, limit).await
}

async fn a_list_of_operations_is_narrowed_by_each_part_of_its_filter(tx: &mut Tx) -> Result<(), StoreError> {
    for number in [1, 2] {
        enroll(tx, number).await?;
    }
    for number in 1..=5 {
        let node = id(if number == 2 { 2 } else { 1 });
        let type_name = if number == 3 { "service.restart" } else { "host.reboot" }.to_owned();
        operations::insert(tx, &OperationRow { node, type_name, ..proposed(id(number)) }).await?;
    }
    // 4 is under way as a task, and the task of 5 has been forgotten.
    for number in [4, 5] {
        assert!(operations::change(tx, &proposed(id(number)), &released(&proposed(id(number)))).await?);
    }
    tasks::insert(tx, &task(4, id(1))).await?;
    let waits = Standing::Stage(Stage::AwaitingSignature);
    let any = OperationFilter::default();
    let (pending, completed) = (Standing::Task(Status::Pending), Standing::Task(Status::Completed));
    for (filter, numbers) in [
        (OperationFilter { node: Some(id(2)), ..any.clone() }, vec![2]),
        (OperationFilter { type_name: Some("service.restart".into()), ..any.clone() }, vec![3]),
        (OperationFilter { standing: vec![waits], ..any.clone() }, vec![3, 2, 1]),
        (OperationFilter { standing: vec![pending], ..any.clone() }, vec![4]),
        (OperationFilter { standing: vec![completed, pending], ..any.clone() }, vec![5, 4]),
        (OperationFilter { standing: vec![Standing::Stage(Stage::Expired)], ..any.clone() }, vec![]),
        (OperationFilter { standing: vec![waits], node: Some(id(1)), ..any.clone() }, vec![3, 1]),
        (OperationFilter { waiting_at: Some(NOW), node: Some(id(1)), ..any.clone() }, vec![3, 1]),
        (OperationFilter { waiting_at: Some(NOW), type_name: Some("x".into()), ..any.clone() }, vec![]),
    ] {
        let found = list(tx, DEFAULT_ORG, &filter, None, 9).await?;
        let found: Vec<u128> = found.iter().map(|(row, _)| row.id.uuid().as_u128()).collect();
        assert_eq!(found, numbers, "{filter:?}");
    }
    let late = NOW + Span::days(30);
    let expired = OperationFilter { standing: vec![Standing::Stage(Stage::Expired)], ..any };
    assert_eq!(operations::list(tx, DEFAULT_ORG, &expired, late, None, 9).await?.len(), 3, "their time has passed");
    Ok(())
}

async fn operations_are_listed_newest_first(tx: &mut Tx) -> Result<(), StoreError> {
    enroll(tx, 1).await?;
    let rows: Vec<OperationRow> = (1..=3).map(|number| proposed(id(number))).collect();
    for row in &rows {
        operations::insert(tx, row).await?;
    }
    let over = released(&rows[1]);
    assert!(operations::change(tx, &rows[1], &over).await?);
    tasks::insert(tx, &task(2, id(1))).await?;
    let all = OperationFilter::default();
    let at = |at| OperationFilter { waiting_at: Some(at), ..OperationFilter::default() };
    let listed = list(tx, DEFAULT_ORG, &all, None, 2).await?;
    assert_eq!(listed[0], (rows[2].clone(), None));
    assert_eq!((&listed[1].0, listed[1].1.as_ref().unwrap().status), (&over, Status::Pending));
    let next = list(tx, DEFAULT_ORG, &all, Some(rows[1].id), 9).await?;
    assert_eq!(next, [(rows[0].clone(), None)]);
    let waiting = list(tx, DEFAULT_ORG, &at(NOW), None, 9).await?;
    assert_eq!(waiting.iter().map(|(row, _)| row.id).collect::<Vec<_>>(), [rows[2].id, rows[0].id]);
    let end = rows[0].ends_at;
    assert_eq!(list(tx, DEFAULT_ORG, &at(Millis(end.0 - 1)), None, 9).await?.len(), 2);
    assert_eq!(list(tx, DEFAULT_ORG, &at(end), None, 9).await?, [], "they wait no more");
    assert_eq!(operations::count_waiting(tx, DEFAULT_ORG).await?, 2);
    assert_eq!(list(tx, OTHER_ORG, &all, None, 9).await?, []);
    assert_eq!(operations::count_waiting(tx, OTHER_ORG).await?, 0);
    Ok(())
}

async fn an_operation_that_somebody_changed_is_not_changed_again(tx: &mut Tx) -> Result<(), StoreError> {
    enroll(tx, 1).await?;
    let row = proposed(id(1));
    operations::insert(tx, &row).await?;
    assert!(operations::change(tx, &row, &released(&row)).await?);
    let rejected = OperationRow { stage: Stage::Rejected, ended_at: Some(NOW), ..row.clone() };
    assert!(!operations::change(tx, &row, &rejected).await?);
    assert_eq!(operations::get(tx, row.id).await?.unwrap().stage, Stage::Released);
    Ok(())
}

async fn operations_beyond_their_time_are_found_and_old_ones_go(tx: &mut Tx) -> Result<(), StoreError> {
    enroll(tx, 1).await?;
    let row = proposed(id(1));
    operations::insert(tx, &row).await?;
    assert_eq!(operations::overdue(tx, Millis(row.ends_at.0 - 1), 9).await?, []);
    assert_eq!(operations::overdue(tx, row.ends_at, 9).await?, std::slice::from_ref(&row));
    let after = OperationRow { stage: Stage::Expired, ended_at: Some(row.ends_at), ..row.clone() };
    assert!(operations::change(tx, &row, &after).await?);
    assert_eq!(operations::overdue(tx, row.ends_at, 9).await?, []);
    let with_task = proposed(id(2));
    operations::insert(tx, &with_task).await?;
    assert!(operations::change(tx, &with_task, &released(&with_task)).await?);
    tasks::insert(tx, &task(2, id(1))).await?;
    assert_eq!(operations::delete_ended_before(tx, row.ends_at, 9).await?, 0);
    assert_eq!(operations::delete_ended_before(tx, row.ends_at + Span(1), 9).await?, 1);
    assert_eq!(operations::get(tx, row.id).await?, None);
    Ok(())
}

fn set(version: u64) -> OperatorSetRow {
    OperatorSetRow {
        org: DEFAULT_ORG,
        version,
        link: format!("{{\"v\":{version}}}"),
        published_by: "ada".to_owned(),
        published_at: NOW,
    }
}

async fn sets_of_operators_follow_each_other(tx: &mut Tx) -> Result<(), StoreError> {
    assert_eq!(operator_sets::newest(tx, DEFAULT_ORG).await?, None);
    for version in 1..=3 {
        operator_sets::insert(tx, &set(version)).await?;
    }
    assert_eq!(operator_sets::newest(tx, DEFAULT_ORG).await?, Some(set(3)));
    assert_eq!(operator_sets::after(tx, DEFAULT_ORG, 1, 1).await?, [set(2)]);
    assert_eq!(operator_sets::after(tx, DEFAULT_ORG, 0, 9).await?.len(), 3);
    assert_eq!(operator_sets::after(tx, OTHER_ORG, 0, 9).await?, []);
    Ok(())
}

mod versions {
    use super::*;
    store_stories!(two_sets_of_one_version_do_not_stand);

    async fn two_sets_of_one_version_do_not_stand(store: Store) {
        let publish = || store.write(|tx| Box::pin(async move { operator_sets::insert(tx, &set(1)).await }));
        publish().await.unwrap();
        assert!(publish().await.unwrap_err().is_taken(VERSION_TAKEN));
    }
}
