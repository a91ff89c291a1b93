//! Tasks come in, one or many at once, and are done.

use http::Method;
use serde_json::json;
use sortie_rules::tasks::Status;
use sortie_rules::time::Span;
use sortie_wire::tasks::SubmitBatch;
use stories::{Scene, on_both_engines, on_sqlite};

use crate::help::{nap, submit, task};

on_both_engines!(
    a_task_is_done_and_its_result_is_there,
    a_batch_is_answered_in_its_order_and_every_task_of_it_is_done,
    what_was_asked_for_stands_on_the_task,
);
on_sqlite!(a_node_may_be_named_by_its_id, the_largest_payload_and_batch_are_taken);

async fn a_task_is_done_and_its_result_is_there(scene: Scene) {
    let hub = scene.hub().start().await;
    let _agent = hub.site("north").await.start();
    let id = hub.submit("north", "sleep", json!({ "ms": 1, "note": "läßt grüßen" })).await;
    let done = hub.ended(id).await;
    assert_eq!(done.summary.status, Status::Completed, "{done:?}");
    assert_eq!(done.payload, json!({ "ms": 1, "note": "läßt grüßen" }));
    let result = done.result.expect("a completed task has a result");
    assert_eq!(result["note"], "läßt grüßen");
    assert!(result["slept_ms"].as_u64() >= Some(1), "{result}");
    assert!(done.summary.finished_at >= done.summary.claimed_at, "{:?}", done.summary);
}

async fn a_batch_is_answered_in_its_order_and_every_task_of_it_is_done(scene: Scene) {
    let hub = scene.hub().start().await;
    let _agents = [hub.site("east").await.start(), hub.site("west").await.start()];
    let nodes = ["east", "west", "west", "east", "west"];
    let tasks = nodes.iter().enumerate().map(|(index, node)| {
        task(json!({ "type": "sleep", "node": node, "payload": { "ms": 0, "note": index.to_string() } }))
    });
    let batch = SubmitBatch { tasks: tasks.collect() };
    let answer = hub.people().submit_batch(&batch, None).await.expect("the batch is in order");
    assert!(answer.tasks.is_sorted_by_key(|task| task.id), "the first of a batch is the oldest: {answer:?}");
    for (index, submitted) in answer.tasks.iter().enumerate() {
        let done = hub.ended(submitted.id).await;
        assert_eq!((done.summary.node_name.as_str(), done.summary.node), (nodes[index], submitted.node));
        assert_eq!(done.result.expect("it completed")["note"], index.to_string());
    }
}

async fn what_was_asked_for_stands_on_the_task(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    let (start, end) = (4_102_444_800_000_i64, 4_102_444_860_000_i64);
    let id = submit(
        &hub,
        json!({
            "type": "sleep", "node": "north", "payload": { "ms": 7 }, "priority": -100, "max_retries": 100,
            "lease": 86_400_000, "not_before": start, "not_after": end,
        }),
    )
    .await;
    let seen = hub.task(id).await.summary;
    assert_eq!((seen.status, seen.priority, seen.max_retries), (Status::Pending, -100, 100));
    assert_eq!((seen.lease, seen.node, seen.attempt, seen.run), (Span::hours(24), node.id, 0, 1));
    assert_eq!((seen.not_before.map(|at| at.0), seen.not_after.map(|at| at.0)), (Some(start), Some(end)));
    assert_eq!(seen.submitted_by, hub.people().whoami().await.expect("the token is good").name);
}

async fn a_node_may_be_named_by_its_id(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    let id = submit(&hub, nap(&node.id.to_string())).await;
    assert_eq!(node.take_one().await.id, id);
}

async fn the_largest_payload_and_batch_are_taken(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    // White space counts: the payload is kept as it was written.
    let around = r#"{"ms":0}"#.len();
    let payload = format!("{{\"ms\":{}0}}", " ".repeat((1 << 20) - around));
    let body = format!(r#"{{"type":"sleep","node":"north","payload":{payload}}}"#);
    let answer = hub.request(Method::POST, "/api/v1/tasks").body("application/json", body).send().await;
    assert_eq!(answer.status, 201, "{answer:?}");
    assert_eq!(node.take_one().await.payload.get().len(), 1 << 20);

    let batch = SubmitBatch { tasks: vec![task(nap("north")); 1000] };
    let answer = hub.people().submit_batch(&batch, None).await.expect("a thousand are the most");
    assert_eq!(answer.tasks.len(), 1000);
    let taken = node.wait(1000, 1).await.tasks;
    assert_eq!(taken.len(), 100, "a delivery carries a hundred at most");
    assert!(taken.iter().map(|task| task.id).eq(answer.tasks[..100].iter().map(|task| task.id)));
}
