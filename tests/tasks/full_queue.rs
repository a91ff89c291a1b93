//! A node's queue has an end.

use serde_json::json;
use sortie_rules::limits::{PENDING_TASKS_PER_NODE_MAX, TASKS_PER_BATCH_MAX};
use sortie_wire::problem::ProblemCode::QueueFull;
use stories::{Scene, on_sqlite};

use crate::help::{is_refused, nap, post};

on_sqlite!(a_node_s_queue_takes_so_many_tasks_and_has_room_again_when_one_leaves);

async fn a_node_s_queue_takes_so_many_tasks_and_has_room_again_when_one_leaves(scene: Scene) {
    let hub = scene.hub().start().await;
    let (node, _other) = (hub.hand_node("north").await, hub.hand_node("south").await);
    let thousand = json!({ "tasks": vec![nap("north"); TASKS_PER_BATCH_MAX] });
    for _ in 0..PENDING_TASKS_PER_NODE_MAX / TASKS_PER_BATCH_MAX as u64 {
        assert_eq!(post(&hub, "/api/v1/tasks/batch", &thousand).await.status, 201);
    }
    let refused = post(&hub, "/api/v1/tasks", &nap("north")).await;
    is_refused(&refused, QueueFull, Some("/node"));
    assert!(refused.headers.contains_key("retry-after"), "it says when to come again: {refused:?}");
    let two = json!({ "tasks": [nap("south"), nap("north")] });
    is_refused(&post(&hub, "/api/v1/tasks/batch", &two).await, QueueFull, Some("/tasks/1/node"));
    assert_eq!(post(&hub, "/api/v1/tasks", &nap("south")).await.status, 201, "other nodes have queues of their own");
    assert_eq!(node.wait(1, 5).await.tasks.len(), 1);
    assert_eq!(post(&hub, "/api/v1/tasks", &nap("north")).await.status, 201);
    assert_eq!(post(&hub, "/api/v1/tasks", &nap("north")).await.status, 429);
}
