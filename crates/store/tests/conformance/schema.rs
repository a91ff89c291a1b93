//! States that make no sense cannot be stored, whatever program writes them.

use sortie_rules::ids::DEFAULT_ORG;
use sortie_rules::tasks::{State, Task};
use sortie_rules::time::{Millis, Span};
use sortie_store::nodes::NodeRow;
use sortie_store::tasks::{Stamps, TaskRow};
use sortie_store::{Store, StoreError, nodes, tasks};

use crate::setup::{NOW, OTHER_ORG, enroll, id, node, store_stories, task};

store_stories!(
    a_task_in_a_wrong_state_is_refused,
    a_task_for_no_node_or_the_node_of_another_org_is_refused,
    a_node_in_a_wrong_state_is_refused,
    a_row_that_cannot_be_read_names_its_column,
    a_second_task_of_the_same_id_is_refused,
);

pub(crate) async fn refused(store: &Store, sql: &'static str) {
    let verb = store.write(move |tx| Box::pin(async move { tx.execute(sql, &[]).await }));
    let answer = verb.await;
    assert!(matches!(answer, Err(StoreError::Constraint { .. })), "{sql}: {answer:?}");
}

async fn fill(store: &Store) {
    let verb = store.write(|tx| {
        Box::pin(async move {
            let node = enroll(tx, 1).await?;
            tasks::insert(tx, &task(1, node)).await?;
            let state = State::InProgress { lease_until: NOW, cancel_asked: false };
            let life = Task { state, attempt: 1, ..task(2, node).life };
            tasks::insert(tx, &TaskRow { life, claimed_at: Some(NOW), ..task(2, node) }).await?;
            tasks::insert(tx, &task(3, node)).await?;
            let before = task(3, node).life;
            let after = Task { state: State::Completed, ..before.clone() };
            let stamps = Stamps { finished_at: Some(NOW), result: Some("{}"), ..Stamps::default() };
            tasks::update(tx, id(3), &before, &after, &stamps).await?;
            Ok::<_, StoreError>(())
        })
    });
    verb.await.unwrap();
}

async fn a_task_in_a_wrong_state_is_refused(store: Store) {
    fill(&store).await;
    for sql in [
        "update tasks set status = 'sleeping'",
        "update tasks set status = 'pending', lease_until = null, attempt = 1 where status = 'in_progress'",
        "update tasks set lease_until = 5 where status = 'pending'",
        "update tasks set cancel_asked = 1 where status = 'pending'",
        "update tasks set delivery = 3 where status = 'pending'",
        "update tasks set finished_at = 3 where status = 'pending'",
        "update tasks set result = '{}' where status = 'pending'",
        "update tasks set result_digest = cast('x' as bytea) where status = 'pending'",
        "update tasks set ended_by = 'hub' where status = 'pending'",
        "update tasks set code = 'boom' where status = 'pending'",
        "update tasks set lease_until = null where status = 'in_progress'",
        "update tasks set claimed_at = null where status = 'in_progress'",
        "update tasks set attempt = 0 where status = 'in_progress'",
        "update tasks set not_before = 3 where status = 'in_progress'",
        "update tasks set cancel_asked = 2 where status = 'in_progress'",
        "update tasks set finished_at = 3 where status = 'in_progress'",
        "update tasks set result = '{}' where status = 'in_progress'",
        "update tasks set finished_at = null where status = 'completed'",
        "update tasks set lease_until = 3 where status = 'completed'",
        "update tasks set not_before = 3 where status = 'completed'",
        "update tasks set cancel_asked = 1 where status = 'completed'",
        "update tasks set code = 'boom' where status = 'completed'",
        "update tasks set ended_by = 'agent' where status = 'completed'",
        "update tasks set status = 'failed', ended_by = 'hub', result = null where status = 'completed'",
        "update tasks set status = 'failed', code = 'boom', result = null where status = 'completed'",
        "update tasks set status = 'failed', code = 'x', ended_by = 'fate', result = null where status = 'completed'",
        "update tasks set status = 'failed', code = 'boom', ended_by = 'hub' where status = 'completed'",
        "update tasks set status = 'rejected', result = null where status = 'completed'",
        "update tasks set status = 'cancelled', result = null where status = 'completed'",
        "update tasks set status = 'expired' where status = 'completed'",
        "update tasks set status = 'expired', result = null, result_digest = cast('x' as bytea) where code is null",
        "update tasks set run = 0",
        "update tasks set retries = retries_max + 1",
        "update tasks set lease_ms = 0",
        "update tasks set idempotent = 2",
        "update tasks set payload = null",
    ] {
        refused(&store, sql).await;
    }
}

async fn a_task_for_no_node_or_the_node_of_another_org_is_refused(store: Store) {
    fill(&store).await;
    for row in [task(7, id(99)), TaskRow { org: OTHER_ORG, ..task(7, id(1)) }] {
        let verb = store.write(move |tx| Box::pin(async move { tasks::insert(tx, &row).await }));
        assert!(matches!(verb.await, Err(StoreError::Constraint { .. })));
    }
}

async fn a_node_in_a_wrong_state_is_refused(store: Store) {
    fill(&store).await;
    for sql in [
        "update node_signs set presence = 'asleep'",
        "update node_signs set presence = 'online', heard_at = null",
        "update node_signs set acknowledged = delivered + 1",
        "update nodes set stale_after = 9, down_after = 8",
        "update nodes set site = 'nowhere'",
    ] {
        refused(&store, sql).await;
    }
    let two_minutes = Some(Span::minutes(2));
    let row = NodeRow { stale_after: two_minutes, down_after: Some(Span::minutes(1)), ..node(2) };
    let verb = store.write(move |tx| Box::pin(async move { nodes::insert(tx, &row).await }));
    assert!(matches!(verb.await, Err(StoreError::Constraint { .. })));
}

async fn a_row_that_cannot_be_read_names_its_column(store: Store) {
    fill(&store).await;
    let spoiled = store.write(|tx| {
        Box::pin(async move {
            tx.execute("update nodes set labels = '[1]'", &[]).await?;
            tx.execute("update tasks set priority = $1", &[i64::MAX.into()]).await
        })
    });
    spoiled.await.unwrap();
    let node = store.read(|tx| Box::pin(async move { nodes::get(tx, DEFAULT_ORG, id(1)).await })).await;
    assert!(matches!(node, Err(StoreError::Corrupt { table: "nodes", column: "labels", .. })), "{node:?}");
    let rows = store.read(|tx| Box::pin(async move { tasks::claimable(tx, id(1), Millis(1), 9, 999).await })).await;
    assert!(matches!(rows, Err(StoreError::Corrupt { table: "tasks", column: "priority", .. })), "{rows:?}");
}

async fn a_second_task_of_the_same_id_is_refused(store: Store) {
    fill(&store).await;
    let verb = store.write(|tx| Box::pin(async move { tasks::insert(tx, &task(1, id(1))).await }));
    assert!(verb.await.unwrap_err().is_taken(tasks::ID_TAKEN));
}
