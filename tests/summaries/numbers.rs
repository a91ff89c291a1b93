//! What is counted is what stands there.

use http::Method;
use serde_json::json;
use sortie_rules::jobs::JobStatus;
use sortie_wire::summary::NodeNumbers;
use stories::{HandNode, Scene, on_both_engines, on_sqlite};

use crate::help::{shows, summary};

on_both_engines!(nodes_tasks_jobs_and_operations_are_counted_by_where_they_stand,);
on_sqlite!(the_lag_of_nats_is_told_to_the_hubs_own_org,);

const NO_NODES: NodeNumbers = NodeNumbers {
    all: 0,
    online: 0,
    stale: 0,
    down: 0,
    new: 0,
    quarantined: 0,
    revoked: 0,
    clock_skewed: 0,
    keys_lagging: 0,
    converging: 0,
    drifted: 0,
    failing: 0,
};

async fn nodes_tasks_jobs_and_operations_are_counted_by_where_they_stand(scene: Scene) {
    let hub = scene.hub().start().await;
    let first = summary(&hub).await;
    assert_eq!(first.nodes, Some(NO_NODES));
    assert!(!first.outdated && first.outbox.is_none(), "{first:?}");

    let north = hub.hand_node("north").await;
    assert!(north.wait(1, 0).await.tasks.is_empty());
    let (_silent, _gone) = (hub.hand_node("south").await, hub.hand_node("gone").await);
    hub.people().revoke_node("gone").await.expect("an administrator may");
    let stands = NodeNumbers { all: 3, online: 1, new: 1, revoked: 1, ..NO_NODES };
    shows(&hub, "each node is counted once", |summary| summary.nodes == Some(stands)).await;

    for node in ["north", "north", "north", "south"] {
        hub.submit(node, "sleep", json!({ "ms": 0 })).await;
    }
    let done = north.take_one().await;
    north.report(&HandNode::completed(&done, json!({ "slept_ms": 0 }))).await.expect("it is taken");
    let _held = north.take_one().await;
    let called_off = hub.submit("south", "sleep", json!({ "ms": 0 })).await;
    hub.people().cancel_task(called_off).await.expect("an administrator may");
    shows(&hub, "each task is counted once", |summary| {
        let Some(tasks) = &summary.tasks else { return false };
        (tasks.pending, tasks.in_progress, tasks.dead, tasks.ended.completed, tasks.ended.cancelled) == (2, 1, 0, 1, 1)
            && (tasks.ended.failed, tasks.ended.rejected, tasks.ended.expired) == (0, 0, 0)
    })
    .await;

    let job = json!({ "type": "sleep", "payload": { "ms": 0 }, "selector": { "all": true } });
    let job = hub.request(Method::POST, "/api/v1/jobs").json(&job).send().await.json();
    let proposal = json!({ "type": "host.reboot", "node": "north", "payload": {}, "reason": "a new kernel" });
    let proposed = hub.request(Method::POST, "/api/v1/operations").json(&proposal).send().await;
    assert_eq!(proposed.status, 201, "{proposed:?}");
    let all = shows(&hub, "the job and the operation are counted", |summary| {
        let open = summary.jobs.as_ref().is_some_and(|jobs| jobs.open == 1 && jobs.newest[0].counts.pending >= 1);
        open && summary.operations.is_some_and(|operations| operations.awaiting_signature == 1)
    })
    .await;
    let jobs = all.jobs.expect("it was counted");
    assert_eq!((json!(jobs.newest[0].id), jobs.newest[0].status), (job["id"].clone(), JobStatus::Running));
    assert_eq!(jobs.newest[0].nodes, 2, "a revoked node is never meant");

    // Whoever follows events from the number that a summary names misses none.
    let event = all.event.expect("an administrator may read events");
    hub.submit("south", "sleep", json!({ "ms": 0 })).await;
    let later = hub.events("task.submitted").await.pop().expect("it was submitted");
    assert!(later.number > event, "{later:?} after {event}");
}

async fn the_lag_of_nats_is_told_to_the_hubs_own_org(scene: Scene) {
    let nowhere = format!("nats://127.0.0.1:{}", scene.free_port());
    let hub = scene.hub().setting("nats.url", nowhere).start().await;
    let _node = hub.hand_node("north").await;
    let behind = shows(&hub, "NATS is behind", |summary| summary.outbox.is_some_and(|lag| lag.events > 0)).await;
    assert!(behind.outbox.is_some_and(|lag| lag.oldest_at.is_some()), "{behind:?}");
    let made = hub.request(Method::POST, "/api/v1/orgs").json(&json!({ "name": "elsewhere" })).send().await.json();
    let token = made["admin"]["token"].as_str().expect("the new org has an administrator");
    let theirs = hub.people_as(token).summary().await.expect("an administrator may");
    assert_eq!(theirs.outbox, None, "the hub is not theirs");
}
