//! A result is held to the schema of its type, at the hub, whatever the agent says.

use serde_json::json;
use sortie_rules::tasks::Status;
use stories::{HandNode, Scene, on_both_engines};

on_both_engines!(a_result_that_does_not_fit_fails_the_task_with_the_place, a_large_result_is_held_to_its_schema_too,);

async fn a_result_that_does_not_fit_fails_the_task_with_the_place(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    let id = hub.submit("north", "sleep", json!({ "ms": 1 })).await;
    let held = node.take_one().await;
    let misfit = HandNode::completed(&held, json!({ "slept_ms": "a-while" }));
    for _ in 0..2 {
        // The agent has done its part: it gets its receipt, the second time as well.
        assert!(node.report(&misfit).await.expect("it is taken").refused.is_none());
    }
    let task = hub.task(id).await;
    assert_eq!((task.summary.status, task.summary.retries), (Status::Failed, 0));
    assert_eq!(task.summary.code.expect("a code").0, "result_invalid");
    let message = task.summary.message.expect("a message");
    assert!(message.contains("/slept_ms") && !message.contains("a-while"), "{message}");
    assert_eq!(task.result, None);
    assert!(!hub.log().contains("a-while"));
}

async fn a_large_result_is_held_to_its_schema_too(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    for (note, status) in [(json!("x".repeat(900)), Status::Completed), (json!("x".repeat(900_000)), Status::Failed)] {
        let id = hub.submit("north", "sleep", json!({ "ms": 1 })).await;
        let held = node.take_one().await;
        let result = HandNode::completed(&held, json!({ "slept_ms": 1, "note": note }));
        assert!(node.report(&result).await.expect("it is taken").refused.is_none());
        assert_eq!(hub.task(id).await.summary.status, status);
    }
}
