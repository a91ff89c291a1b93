//! Results that cannot be taken, and results that come when the hub has given up.

use http::Method;
use serde_json::{Value, json};
use sortie_rules::tasks::Status;
use sortie_wire::deliveries::HandedTask;
use sortie_wire::problem::ProblemCode::{
    self, FieldInvalid, MalformedBody, NodeMismatch, NotYourTask, OtherResult, TooLarge, UnknownTask,
};
use sortie_wire::results::ResultBatch;
use stories::{As, HandNode, Scene, on_both_engines, on_sqlite, until};

use crate::help::{give_open_type, is_refused, nap, submit, traces, with};

on_both_engines!(
    a_result_whose_parts_do_not_belong_together_is_refused_with_the_place,
    the_agent_s_word_stands_and_the_hub_s_yields_to_it,
);
on_sqlite!(
    only_the_task_s_node_reports_it,
    a_result_over_its_limit_is_refused_and_the_largest_is_kept,
    a_batch_of_results_has_its_limit,
    an_agent_may_not_speak_for_another_path,
);

/// A result as an agent would write it, with other values in some fields (null takes one out).
fn result(task: &HandedTask, changes: Value) -> Value {
    let mut body = json!({
        "task": task.id, "run": task.run, "attempt": task.attempt, "outcome": "completed",
        "result": { "slept_ms": 0 }, "started_at": 1, "finished_at": 2,
    });
    for (field, value) in changes.as_object().expect("an object") {
        match value {
            Value::Null => drop(body.as_object_mut().expect("an object").remove(field)),
            value => body[field] = value.clone(),
        }
    }
    body
}

async fn refused(node: &HandNode, task: &HandedTask, body: &Value, code: ProblemCode, pointer: Option<&str>) {
    let request = node.request(Method::POST, &format!("/tasks/{}/result", task.id));
    is_refused(&request.json(body).send().await, code, pointer);
}

async fn a_result_whose_parts_do_not_belong_together_is_refused_with_the_place(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    submit(&hub, nap("north")).await;
    let held = node.take_one().await;
    let before = traces(&hub).await;
    for (changes, code, pointer) in [
        (json!({ "result": null }), FieldInvalid, "/result"),
        (json!({ "outcome": "failed", "code": "x" }), FieldInvalid, "/result"),
        (json!({ "outcome": "failed", "result": null }), FieldInvalid, "/code"),
        (json!({ "outcome": "rejected", "result": null, "code": "Not A Word" }), FieldInvalid, "/code"),
        (json!({ "outcome": "failed", "result": null, "code": "x".repeat(65) }), FieldInvalid, "/code"),
        (json!({ "outcome": "cancelled", "result": null, "code": "x" }), FieldInvalid, "/code"),
        (json!({ "code": "x" }), FieldInvalid, "/code"),
        (json!({ "retry": true }), FieldInvalid, "/retry"),
        (json!({ "outcome": "rejected", "result": null, "code": "x", "retry": true }), FieldInvalid, "/retry"),
        (json!({ "run": 0 }), FieldInvalid, "/run"),
        (json!({ "attempt": 0 }), FieldInvalid, "/attempt"),
        (json!({ "run": u32::MAX }), FieldInvalid, "/run"),
        (json!({ "attempt": u32::MAX }), FieldInvalid, "/attempt"),
        (json!({ "run": -1 }), MalformedBody, "/run"),
        (json!({ "outcome": "done" }), MalformedBody, "/outcome"),
        (json!({ "colour": "red" }), MalformedBody, "/colour"),
        (json!({ "task": "01980c5e-7d1a-7c3e-9b7e-0123456789ab" }), FieldInvalid, "/task"),
        (json!({ "started_at": null }), MalformedBody, ""),
    ] {
        refused(&node, &held, &result(&held, changes), code, Some(pointer)).await;
    }
    assert_eq!(traces(&hub).await, before);
    assert_eq!(hub.task(held.id).await.summary.status, Status::InProgress);
}

async fn the_agent_s_word_stands_and_the_hub_s_yields_to_it(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    submit(&hub, nap("north")).await;
    let failed = node.take_one().await;
    node.report(&HandNode::failed(&failed, "broken", false)).await.expect("it is taken");
    refused(&node, &failed, &result(&failed, json!({})), OtherResult, None).await;
    assert_eq!(hub.task(failed.id).await.summary.status, Status::Failed);

    // The hub gave up on this one; the agent had done it all the same.
    submit(&hub, with(with(nap("north"), "lease", json!(5_000)), "max_retries", json!(0))).await;
    let done = node.take_one().await;
    let dead = hub.ended(done.id).await.summary;
    assert_eq!(dead.code.map(|code| code.0).as_deref(), Some("lease_expired"));
    node.report(&HandNode::completed(&done, json!({ "slept_ms": 3 }))).await.expect("it is taken late");
    let ended = hub.task(done.id).await;
    assert_eq!((ended.summary.status, ended.result), (Status::Completed, Some(json!({ "slept_ms": 3 }))));
    assert_eq!((ended.summary.code, ended.summary.message), (None, None), "nothing is left of the hub's word");
}

async fn only_the_task_s_node_reports_it(scene: Scene) {
    let hub = scene.hub().start().await;
    let (node, other) = (hub.hand_node("north").await, hub.hand_node("south").await);
    submit(&hub, nap("north")).await;
    let held = node.take_one().await;
    refused(&other, &held, &result(&held, json!({})), NotYourTask, None).await;
    let nobody = HandedTask { id: "01980c5e-7d1a-7c3e-9b7e-0123456789ab".parse().expect("an id"), ..held.clone() };
    refused(&other, &nobody, &result(&nobody, json!({})), UnknownTask, None).await;
    assert_eq!(hub.task(held.id).await.summary.status, Status::InProgress);
}

async fn an_agent_may_not_speak_for_another_path(scene: Scene) {
    let hub = scene.hub().start().await;
    let (node, other) = (hub.hand_node("north").await, hub.hand_node("south").await);
    submit(&hub, nap("north")).await;
    let held = node.take_one().await;
    let path = format!("/agent/v1/nodes/{}/tasks/{}/result", node.id, held.id);
    let request = hub.request(Method::POST, &path).json(&result(&held, json!({})));
    is_refused(&request.clone().from(As::Node(other.identity())).send().await, NodeMismatch, None);
    assert_eq!(request.send().await.status, 401, "a token is no certificate");
    assert_eq!(hub.task(held.id).await.summary.status, Status::InProgress);
}

async fn a_result_over_its_limit_is_refused_and_the_largest_is_kept(scene: Scene) {
    let plan = scene.hub();
    give_open_type(&plan);
    let hub = plan.start().await;
    let node = hub.hand_node("north").await;
    hub.submit("north", "open.count", json!({})).await;
    let held = node.take_one().await;
    let body = |bytes: usize| result(&held, json!({ "result": "x".repeat(bytes - 2) }));
    refused(&node, &held, &body(10_000_001), TooLarge, Some("/result")).await;
    refused(&node, &held, &body(17 << 20), TooLarge, None).await;
    assert_eq!(hub.task(held.id).await.summary.status, Status::InProgress);
    let request = node.request(Method::POST, &format!("/tasks/{}/result", held.id));
    assert_eq!(request.json(&body(10_000_000)).send().await.status, 200);
    let kept = hub.task(held.id).await.result.expect("it completed");
    assert_eq!(kept.as_str().map(str::len), Some(9_999_998));
}

async fn a_batch_of_results_has_its_limit(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    submit(&hub, nap("north")).await;
    let held = node.take_one().await;
    let one = HandNode::completed(&held, json!({ "slept_ms": 0 }));
    let many = json!({ "results": vec![result(&held, json!({})); 1001] });
    is_refused(&node.request(Method::POST, "/results").json(&many).send().await, FieldInvalid, Some("/results"));
    assert_eq!(hub.task(held.id).await.summary.status, Status::InProgress);
    let most = ResultBatch { results: vec![one; 1000] };
    let receipts = node.line().results(node.id, &most).await.expect("a thousand are the most").receipts;
    assert!(receipts.len() == 1000 && receipts.iter().all(|receipt| receipt.refused.is_none()));
    let finished = until("it ends", async || {
        let task = hub.task(held.id).await.summary;
        task.status.is_terminal().then_some(task)
    });
    assert_eq!(finished.await.status, Status::Completed);
    assert_eq!(traces(&hub).await, (1, 3), "submitted, claimed, completed once");
}
