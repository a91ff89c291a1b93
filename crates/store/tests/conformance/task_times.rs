//! Leases, waits and deadlines.

use sortie_rules::ids::NodeId;
use sortie_rules::tasks::{State, Task};
use sortie_rules::time::{Millis, Span};
use sortie_store::tasks::{HeldTask, TaskRow};
use sortie_store::{StoreError, Tx, tasks};

use crate::setup::{NOW, enroll, id, numbers, stories, task};

stories!(
    a_lease_is_renewed_by_its_attempt_and_never_shortened,
    what_a_node_holds_is_known,
    what_was_lost_on_the_way_is_handed_out_again_in_order,
    leases_end_by_their_deadline,
    waits_end_by_their_hour,
    waiting_tasks_are_overdue_by_their_deadline,
);

async fn hold(tx: &mut Tx, number: u128, node: NodeId, lease_until: i64, delivery: u64) -> Result<(), StoreError> {
    let state = State::InProgress { lease_until: Millis(lease_until), cancel_asked: false };
    let life = Task { state, attempt: 1, ..task(number, node).life };
    tasks::insert(tx, &TaskRow { life, delivery, claimed_at: Some(NOW), ..task(number, node) }).await
}

async fn wait(
    tx: &mut Tx,
    number: u128,
    node: NodeId,
    not_before: Option<i64>,
    not_after: Option<i64>,
) -> Result<(), StoreError> {
    let life = Task::submitted(3, Span::seconds(60), not_before.map(Millis), not_after.map(Millis));
    tasks::insert(tx, &TaskRow { life, ..task(number, node) }).await
}

async fn lease_until(tx: &mut Tx, number: u128) -> Result<Option<Millis>, StoreError> {
    Ok(match tasks::get_life(tx, id(number)).await?.expect("it is there").life.state {
        State::InProgress { lease_until, .. } => Some(lease_until),
        _ => None,
    })
}

async fn a_lease_is_renewed_by_its_attempt_and_never_shortened(tx: &mut Tx) -> Result<(), StoreError> {
    let node = enroll(tx, 1).await?;
    for number in 1..=3 {
        hold(tx, number, node, 100, 1).await?;
    }
    tasks::insert(tx, &task(4, node)).await?;
    let renewals = [
        (id(1), 1, Millis(150)),
        (id(2), 1, Millis(50)),
        (id(3), 2, Millis(150)),
        (id(4), 0, Millis(150)),
        (id(5), 1, Millis(150)),
    ];
    assert_eq!(tasks::renew(tx, &renewals).await?, 1);
    assert_eq!(tasks::renew(tx, &[]).await?, 0);
    assert_eq!(lease_until(tx, 1).await?, Some(Millis(150)));
    assert_eq!(lease_until(tx, 2).await?, Some(Millis(100)));
    assert_eq!(lease_until(tx, 3).await?, Some(Millis(100)));
    assert_eq!(lease_until(tx, 4).await?, None);
    Ok(())
}

async fn what_a_node_holds_is_known(tx: &mut Tx) -> Result<(), StoreError> {
    let (node, other) = (enroll(tx, 1).await?, enroll(tx, 2).await?);
    hold(tx, 2, node, 200, 7).await?;
    hold(tx, 1, node, 100, 8).await?;
    hold(tx, 3, other, 100, 1).await?;
    tasks::insert(tx, &task(4, node)).await?;
    let held = |number, lease_until, delivery| HeldTask {
        id: id(number),
        attempt: 1,
        run: 1,
        lease: Span::seconds(60),
        lease_until: Millis(lease_until),
        cancel_asked: false,
        delivery,
    };
    assert_eq!(tasks::held_by(tx, node).await?, [held(1, 100, 8), held(2, 200, 7)]);
    assert_eq!(tasks::held_by(tx, id(9)).await?, []);
    Ok(())
}

async fn what_was_lost_on_the_way_is_handed_out_again_in_order(tx: &mut Tx) -> Result<(), StoreError> {
    let node = enroll(tx, 1).await?;
    for (number, delivery) in [(1, 3), (2, 2), (3, 2), (4, 1)] {
        hold(tx, number, node, 100, delivery).await?;
    }
    tasks::insert(tx, &task(5, node)).await?;
    let again = tasks::redeliverable(tx, node, 1).await?;
    assert_eq!(numbers(again.iter().map(|row| &row.id)), [2, 3, 1]);
    assert!(again.iter().all(|row| row.payload == "{}"));
    assert_eq!(tasks::redeliverable(tx, node, 3).await?, []);
    Ok(())
}

async fn leases_end_by_their_deadline(tx: &mut Tx) -> Result<(), StoreError> {
    let node = enroll(tx, 1).await?;
    assert_eq!(tasks::next_lease_end(tx).await?, None);
    for (number, until) in [(1, 30), (2, 10), (3, 20)] {
        hold(tx, number, node, until, 1).await?;
    }
    tasks::insert(tx, &task(4, node)).await?;
    assert_eq!(tasks::next_lease_end(tx).await?, Some(Millis(10)));
    let lapsed = tasks::lapsed(tx, Millis(20), 10).await?;
    assert_eq!(numbers(lapsed.iter().map(|row| &row.id)), [2, 3]);
    assert_eq!(tasks::lapsed(tx, Millis(99), 1).await?.len(), 1);
    assert_eq!(tasks::lapsed(tx, Millis(9), 10).await?, []);
    Ok(())
}

async fn waits_end_by_their_hour(tx: &mut Tx) -> Result<(), StoreError> {
    let (one, two) = (enroll(tx, 1).await?, enroll(tx, 2).await?);
    wait(tx, 1, one, Some(10), None).await?;
    wait(tx, 2, one, Some(15), None).await?;
    wait(tx, 3, two, Some(20), None).await?;
    wait(tx, 4, two, None, None).await?;
    assert_eq!(tasks::due_between(tx, Millis(0), Millis(20), 10).await?, [one, two]);
    assert_eq!(tasks::due_between(tx, Millis(10), Millis(15), 10).await?, [one]);
    assert_eq!(tasks::due_between(tx, Millis(15), Millis(19), 10).await?, []);
    assert_eq!(tasks::due_between(tx, Millis(0), Millis(99), 1).await?, [one]);
    assert_eq!(tasks::next_due(tx, Millis(0)).await?, Some(Millis(10)));
    assert_eq!(tasks::next_due(tx, Millis(15)).await?, Some(Millis(20)));
    assert_eq!(tasks::next_due(tx, Millis(20)).await?, None);
    Ok(())
}

async fn waiting_tasks_are_overdue_by_their_deadline(tx: &mut Tx) -> Result<(), StoreError> {
    let node = enroll(tx, 1).await?;
    assert_eq!(tasks::next_overdue(tx).await?, None);
    wait(tx, 1, node, None, Some(20)).await?;
    wait(tx, 2, node, None, Some(10)).await?;
    wait(tx, 3, node, None, None).await?;
    assert_eq!(tasks::next_overdue(tx).await?, Some(Millis(10)));
    let overdue = tasks::overdue(tx, Millis(20), 10).await?;
    assert_eq!(numbers(overdue.iter().map(|row| &row.id)), [2, 1]);
    assert_eq!(tasks::overdue(tx, Millis(9), 10).await?, []);
    assert_eq!(tasks::overdue(tx, Millis(20), 1).await?.len(), 1);
    Ok(())
}
