//! A batch is taken whole or not at all.

use http::Method;
use serde_json::{Value, json};
use sortie_wire::problem::ProblemCode::{
    FieldInvalid, MalformedBody, NodeRevoked, PayloadInvalid, TooLarge, UnknownNode, UnknownTaskType,
};
use stories::{Scene, on_both_engines, on_sqlite};

use crate::help::{is_refused, nap, post, traces, with};

const BATCH: &str = "/api/v1/tasks/batch";

on_both_engines!(one_bad_task_keeps_its_whole_batch_out);
on_sqlite!(a_batch_has_from_one_to_a_thousand_tasks, a_batch_over_its_limit_of_bytes_is_refused);

async fn one_bad_task_keeps_its_whole_batch_out(scene: Scene) {
    let hub = scene.hub().start().await;
    let (_north, _gone) = (hub.hand_node("north").await, hub.hand_node("gone").await);
    hub.people().revoke_node("gone").await.expect("an administrator may revoke");
    let good = nap("north");
    let cases = [
        (with(good.clone(), "payload", json!({ "ms": "long" })), PayloadInvalid, "/tasks/1/payload/ms"),
        (with(good.clone(), "type", json!("nonsense")), UnknownTaskType, "/tasks/1/type"),
        (with(good.clone(), "node", json!("south")), UnknownNode, "/tasks/1/node"),
        (with(good.clone(), "node", json!("gone")), NodeRevoked, "/tasks/1/node"),
        (with(good.clone(), "priority", json!(1000)), FieldInvalid, "/tasks/1/priority"),
        (with(good.clone(), "not_after", json!(5)), FieldInvalid, "/tasks/1/not_after"),
        (with(good.clone(), "lease", json!({})), MalformedBody, "/tasks/1/lease"),
        (with(good.clone(), "colour", json!("red")), MalformedBody, "/tasks/1/colour"),
    ];
    for (bad, code, pointer) in cases {
        let answer = post(&hub, BATCH, &json!({ "tasks": [good, bad, good] })).await;
        is_refused(&answer, code, Some(pointer));
    }
    assert_eq!(traces(&hub).await, (0, 0));
}

async fn a_batch_has_from_one_to_a_thousand_tasks(scene: Scene) {
    let hub = scene.hub().start().await;
    let _node = hub.hand_node("north").await;
    for count in [0, 1001] {
        let tasks: Vec<Value> = vec![nap("north"); count];
        is_refused(&post(&hub, BATCH, &json!({ "tasks": tasks })).await, FieldInvalid, Some("/tasks"));
    }
    is_refused(&post(&hub, BATCH, &json!({ "task": [] })).await, MalformedBody, Some("/task"));
    assert_eq!(traces(&hub).await, (0, 0));
}

async fn a_batch_over_its_limit_of_bytes_is_refused(scene: Scene) {
    let hub = scene.hub().start().await;
    let _node = hub.hand_node("north").await;
    let body = format!("{{\"tasks\": [{}]}}", " ".repeat(16 << 20));
    let answer = hub.request(Method::POST, BATCH).body("application/json", body).send().await;
    is_refused(&answer, TooLarge, None);
    let wide = format!("{{\"ms\": 0{}}}", " ".repeat(1 << 20));
    let body =
        format!("{{\"tasks\": [{}, {{\"type\":\"sleep\",\"node\":\"north\",\"payload\":{wide}}}]}}", nap("north"));
    let answer = hub.request(Method::POST, BATCH).body("application/json", body).send().await;
    is_refused(&answer, TooLarge, Some("/tasks/1/payload"));
    assert_eq!(traces(&hub).await, (0, 0));
}
