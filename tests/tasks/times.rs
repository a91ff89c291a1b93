//! Tasks that must wait for an hour, and tasks whose hour passes.

use serde_json::{Value, json};
use sortie_rules::tasks::Status;
use stories::{HandNode, Scene, on_both_engines, on_sqlite, until};

use crate::help::{nap, note, submit, with};

on_both_engines!(a_task_waits_for_its_time_and_then_goes_to_an_open_wait, a_task_whose_time_passes_expires);
on_sqlite!(
    an_agent_is_told_until_when_to_begin,
    an_agent_does_not_begin_what_came_too_late,
    a_lease_that_lapses_after_the_task_s_time_ends_it,
);

/// The hub's time.
async fn now(node: &HandNode) -> i64 {
    node.heartbeat(&[]).await.expect("a heartbeat is heard").now.0
}

async fn in_ms(node: &HandNode, field: &str, ms: i64) -> Value {
    with(nap("north"), field, json!(now(node).await + ms))
}

async fn a_task_waits_for_its_time_and_then_goes_to_an_open_wait(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    let later = submit(&hub, with(in_ms(&node, "not_before", 1_500).await, "priority", json!(100))).await;
    let not_before = hub.task(later).await.summary.not_before.expect("it was asked for");
    let soon = submit(&hub, nap("north")).await;
    assert_eq!(node.take_one().await.id, soon, "a later task holds nobody up, however urgent");
    let delivery = node.wait(1, 30).await;
    assert_eq!(delivery.tasks.iter().map(|task| task.id).collect::<Vec<_>>(), [later]);
    assert!(delivery.issued_at >= not_before);
}

async fn a_task_whose_time_passes_expires(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    let id = submit(&hub, in_ms(&node, "not_after", 700).await).await;
    let ended = hub.ended(id).await.summary;
    assert_eq!((ended.status, ended.code.map(|code| code.0)), (Status::Expired, Some("expired".to_owned())));
    assert!(ended.finished_at >= ended.not_after);
    assert!(node.wait(5, 0).await.tasks.is_empty(), "it is not handed out any more");
    let last = hub.events("task").await.pop().expect("something happened");
    assert_eq!((last.kind.as_str(), last.actor.as_str(), last.task), ("task.expired", "hub", Some(id)));

    let again = hub.people().requeue_task(id).await.expect("it can be requeued");
    assert_eq!((again.status, again.not_after), (Status::Pending, None), "an operator wants it after all");
    assert_eq!(node.take_one().await.id, id);
}

async fn an_agent_is_told_until_when_to_begin(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    let id = submit(&hub, in_ms(&node, "not_after", 600_000).await).await;
    let handed = node.take_one().await;
    assert!(handed.not_after.is_some());
    assert_eq!(handed.not_after, hub.task(id).await.summary.not_after);
}

async fn an_agent_does_not_begin_what_came_too_late(scene: Scene) {
    let hub = scene.hub().start().await;
    let clock = hub.hand_node("clock").await;
    let site = hub.site("north").await.setting("concurrency", 1);
    let _agent = site.start();
    let long = hub.submit("north", "sleep", json!({ "ms": 3_600_000 })).await;
    let end = now(&clock).await + 2_000;
    let late = submit(&hub, with(note(&site, "too late"), "not_after", json!(end))).await;
    until("the agent has both tasks", async || (hub.task(late).await.summary.status != Status::Pending).then_some(()))
        .await;
    until("its time has passed", async || (now(&clock).await > end).then_some(())).await;
    hub.people().cancel_task(long).await.expect("it can be cancelled");
    let ended = hub.ended(late).await.summary;
    assert_eq!((ended.status, ended.code.map(|code| code.0)), (Status::Rejected, Some("expired".to_owned())));
    assert!(site.lines("journal").is_empty());
}

async fn a_lease_that_lapses_after_the_task_s_time_ends_it(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    let id = submit(&hub, with(in_ms(&node, "not_after", 2_000).await, "lease", json!(5_000))).await;
    let held = node.take_one().await;
    assert_eq!(hub.ended(id).await.summary.status, Status::Expired);
    node.report(&HandNode::completed(&held, json!({ "slept_ms": 0 }))).await.expect("what was done in time counts");
    assert_eq!(hub.task(id).await.summary.status, Status::Completed);
}
