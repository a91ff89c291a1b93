//! A claim lasts as long as its lease, which heartbeats renew. The shortest lease is five seconds.

use serde_json::{Value, json};
use sortie_rules::tasks::{Code, Status};
use sortie_wire::deliveries::HandedTask;
use sortie_wire::tasks::TaskQuery;
use stories::{HandNode, RunningHub, Scene, on_both_engines, on_sqlite, until};

use crate::help::{nap, submit, with};

on_both_engines!(
    a_silent_node_s_task_comes_again_in_the_same_run_and_its_first_result_counts,
    a_task_that_lapsed_too_often_is_dead_until_it_is_requeued,
);
on_sqlite!(
    heartbeats_keep_a_lease,
    a_heartbeat_names_what_the_hub_does_not_count_as_held,
    a_cancelled_task_lapses_into_its_end
);

fn short(max_retries: u32) -> Value {
    with(with(nap("north"), "lease", json!(5_000)), "max_retries", json!(max_retries))
}

async fn lapsed(hub: &RunningHub<'_>, held: &HandedTask) -> sortie_wire::tasks::TaskSummary {
    until("the lease ends", async || {
        let task = hub.task(held.id).await.summary;
        (task.status != Status::InProgress).then_some(task)
    })
    .await
}

async fn a_silent_node_s_task_comes_again_in_the_same_run_and_its_first_result_counts(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    let id = submit(&hub, short(3)).await;
    let first = node.take_one().await;
    let second = node.take_one().await;
    assert_eq!((second.id, second.run, second.attempt), (id, 1, 2));
    let again = hub.task(id).await.summary;
    assert_eq!((again.status, again.retries), (Status::InProgress, 1));
    // The work of the first attempt was done after all: nobody is asked to do it twice.
    node.report(&HandNode::completed(&first, json!({ "slept_ms": 1 }))).await.expect("it is taken");
    let ended = hub.task(id).await;
    assert_eq!((ended.summary.status, ended.result), (Status::Completed, Some(json!({ "slept_ms": 1 }))));
    node.report(&HandNode::completed(&second, json!({ "slept_ms": 1 }))).await.expect("it says the same");
    let kinds: Vec<String> = hub.events("task").await.into_iter().map(|event| event.kind).collect();
    assert_eq!(kinds, ["task.submitted", "task.claimed", "task.retried", "task.claimed", "task.completed"]);
}

async fn a_task_that_lapsed_too_often_is_dead_until_it_is_requeued(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    let id = submit(&hub, short(0)).await;
    let other = submit(&hub, nap("north")).await;
    let held = node.wait(2, 5).await.tasks;
    node.report(&HandNode::failed(&held[1], "broken", false)).await.expect("it is taken");
    let dead = lapsed(&hub, &held[0]).await;
    assert_eq!((dead.status, dead.code), (Status::Failed, Some(Code::new(Code::LEASE_EXPIRED))));
    let query = TaskQuery { dead: true, ..TaskQuery::default() };
    let listed = hub.people().tasks(&query).await.expect("a list").items;
    assert_eq!(listed.iter().map(|task| task.id).collect::<Vec<_>>(), [id], "{other} failed at its agent");

    let requeued = hub.people().requeue_task(id).await.expect("a dead task can be requeued");
    assert_eq!((requeued.run, requeued.retries, requeued.status), (2, 0, Status::Pending));
    assert_eq!((requeued.code, requeued.finished_at), (None, None));
    let second = node.take_one().await;
    assert_eq!((second.id, second.run, second.attempt), (id, 2, 2));
    node.report(&HandNode::completed(&second, json!({ "slept_ms": 0 }))).await.expect("it is taken");
    assert_eq!(hub.task(id).await.summary.status, Status::Completed);
    assert!(hub.people().tasks(&query).await.expect("a list").items.is_empty());
}

async fn heartbeats_keep_a_lease(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    submit(&hub, short(3)).await;
    let held = node.take_one().await;
    let first_end = hub.task(held.id).await.summary.lease_until.expect("it is leased");
    until("the hub's time is well past the first lease", async || {
        let pulse = node.heartbeat(&[&held]).await.expect("a heartbeat is heard");
        assert_eq!((pulse.not_held, pulse.cancel), (vec![], vec![]));
        (pulse.now.0 > first_end.0 + 2_000).then_some(())
    })
    .await;
    let kept = hub.task(held.id).await.summary;
    assert_eq!((kept.status, kept.attempt, kept.retries), (Status::InProgress, 1, 0));
    assert!(kept.lease_until > Some(first_end));
}

async fn a_heartbeat_names_what_the_hub_does_not_count_as_held(scene: Scene) {
    let hub = scene.hub().start().await;
    let (node, other) = (hub.hand_node("north").await, hub.hand_node("south").await);
    submit(&hub, nap("north")).await;
    submit(&hub, nap("south")).await;
    let (mine, foreign) = (node.take_one().await, other.take_one().await);
    let newer = HandedTask { attempt: 2, ..mine.clone() };
    let unknown = HandedTask { id: "01980c5e-7d1a-7c3e-9b7e-0123456789ab".parse().expect("an id"), ..mine.clone() };
    let pulse = node.heartbeat(&[&newer, &foreign, &unknown]).await.expect("a heartbeat is heard");
    assert_eq!(pulse.not_held, [newer.id, foreign.id, unknown.id]);
    assert_eq!(node.heartbeat(&[&mine]).await.expect("a heartbeat is heard").not_held, []);
    node.report(&HandNode::completed(&mine, json!({ "slept_ms": 0 }))).await.expect("it is taken");
    assert_eq!(node.heartbeat(&[&mine]).await.expect("a heartbeat is heard").not_held, [mine.id]);
}

async fn a_cancelled_task_lapses_into_its_end(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    submit(&hub, short(3)).await;
    let held = node.take_one().await;
    hub.people().cancel_task(held.id).await.expect("it can be cancelled");
    assert_eq!(lapsed(&hub, &held).await.status, Status::Cancelled);
    // The agent had done it before it heard.
    node.report(&HandNode::completed(&held, json!({ "slept_ms": 1 }))).await.expect("it is taken");
    assert_eq!(hub.task(held.id).await.summary.status, Status::Completed);
}
