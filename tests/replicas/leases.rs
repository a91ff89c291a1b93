//! A lease lasts as long as its agent speaks of it, at whichever hub.

use serde_json::json;
use sortie_rules::tasks::Status;
use stories::{Engine, Scene, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn heartbeats_that_reach_a_hub_that_does_not_lead_keep_a_lease() {
    let scene = Scene::new(Engine::Postgres);
    let hub = scene.hub().start().await;
    until("it leads", async || {
        hub.operations("/metrics").await.1.lines().any(|line| line.starts_with("sortie_leader 1")).then_some(())
    })
    .await;
    let other = hub.plan().beside("other").start().await;
    let node = other.hand_node("north").await;
    let task = json!({ "type": "sleep", "node": "north", "payload": { "ms": 0 }, "lease": 5_000 });
    hub.people()
        .submit(&serde_json::from_value(task).expect("it is a task"), None)
        .await
        .expect("an administrator may");
    let held = node.take_one().await;
    let first_end = hub.task(held.id).await.summary.lease_until.expect("it is leased");
    until("the time is well past the first lease", async || {
        let pulse = node.heartbeat(&[&held]).await.expect("a heartbeat is heard");
        assert_eq!((pulse.not_held, pulse.cancel), (vec![], vec![]));
        (pulse.now.0 > first_end.0 + 6_000).then_some(())
    })
    .await;
    let kept = hub.task(held.id).await.summary;
    assert_eq!((kept.status, kept.attempt, kept.retries), (Status::InProgress, 1, 0));
    // And one of which nobody speaks ends.
    let again = until("it is handed out again", async || node.wait(1, 1).await.tasks.pop()).await;
    assert_eq!((again.id, again.attempt), (held.id, 2));
}
