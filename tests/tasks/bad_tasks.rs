//! A task that cannot be taken is refused with the place of the fault, and nothing has changed.

use http::Method;
use serde_json::{Value, json};
use sortie_wire::problem::ProblemCode::{
    self, FieldInvalid, MalformedBody, NodeRevoked, PayloadInvalid, TooLarge, UnknownNode, UnknownTaskType,
};
use stories::{RunningHub, Scene, on_both_engines, on_sqlite};

use crate::help::{is_refused, nap, post, traces, with};

on_both_engines!(no_bad_task_leaves_a_trace);
on_sqlite!(
    a_payload_that_does_not_fit_is_pointed_at,
    a_number_out_of_its_bounds_is_pointed_at,
    a_field_of_the_wrong_shape_is_pointed_at,
    a_task_for_a_revoked_node_is_refused,
    a_payload_over_its_limit_is_refused_and_so_is_a_body,
);

async fn refused(hub: &RunningHub<'_>, task: Value, code: ProblemCode, pointer: &str) {
    let answer = post(hub, "/api/v1/tasks", &task).await;
    is_refused(&answer, code, Some(pointer));
}

async fn no_bad_task_leaves_a_trace(scene: Scene) {
    let hub = scene.hub().start().await;
    let _node = hub.hand_node("north").await;
    let north = nap("north");
    refused(&hub, with(north.clone(), "type", json!("sleeep")), UnknownTaskType, "/type").await;
    refused(&hub, with(north.clone(), "type", json!("")), UnknownTaskType, "/type").await;
    refused(&hub, with(north.clone(), "node", json!("south")), UnknownNode, "/node").await;
    refused(&hub, with(north.clone(), "node", json!("")), UnknownNode, "/node").await;
    let nobody = json!("01980c5e-7d1a-7c3e-9b7e-0123456789ab");
    refused(&hub, with(north.clone(), "node", nobody), UnknownNode, "/node").await;
    refused(&hub, with(north.clone(), "payload", json!({ "ms": "long" })), PayloadInvalid, "/payload/ms").await;
    refused(&hub, with(north, "not_after", json!(1)), FieldInvalid, "/not_after").await;
    assert_eq!(traces(&hub).await, (0, 0));
}

async fn a_payload_that_does_not_fit_is_pointed_at(scene: Scene) {
    let hub = scene.hub().start().await;
    let _node = hub.hand_node("north").await;
    let cases = [
        ("sleep", json!({}), "/payload"),
        ("sleep", json!({ "ms": -1 }), "/payload/ms"),
        ("sleep", json!({ "ms": 1.5 }), "/payload/ms"),
        ("sleep", json!({ "ms": 1, "note": "x".repeat(1001) }), "/payload/note"),
        ("sleep", json!({ "ms": 1, "mss": 1 }), "/payload"),
        ("sleep", json!([1]), "/payload"),
        ("sleep", json!("1"), "/payload"),
        ("sys.info", json!({ "all": true }), "/payload"),
        ("file.append", json!({ "path": "journal", "line": "x" }), "/payload/path"),
        ("file.append", json!({ "path": "/journal", "line": "two\nlines" }), "/payload/line"),
        ("file.checksum", json!({ "path": 1 }), "/payload/path"),
        ("http.check", json!({ "url": "ftp://127.0.0.1" }), "/payload/url"),
        ("http.check", json!({ "url": "http://127.0.0.1", "expect_status": 99 }), "/payload/expect_status"),
    ];
    for (kind, payload, pointer) in cases {
        let task = json!({ "type": kind, "node": "north", "payload": payload });
        refused(&hub, task, PayloadInvalid, pointer).await;
    }
    refused(&hub, json!({ "type": "sleep", "node": "north" }), PayloadInvalid, "/payload").await;
    let absent = with(nap("north"), "payload", Value::Null);
    let answer = post(&hub, "/api/v1/tasks", &absent).await;
    assert_eq!(answer.status, 422, "null is no payload of a sleep: {answer:?}");
    let secret = json!({ "type": "sleep", "node": "north", "payload": { "ms": "sesame" } });
    let answer = post(&hub, "/api/v1/tasks", &secret).await;
    assert!(!answer.body.contains("sesame") && !hub.log().contains("sesame"), "payloads are nobody's but the agent's");
    assert_eq!(traces(&hub).await, (0, 0));
}

async fn a_number_out_of_its_bounds_is_pointed_at(scene: Scene) {
    let hub = scene.hub().start().await;
    let _node = hub.hand_node("north").await;
    let far = 4_102_444_800_000_i64;
    let cases = [
        ("priority", json!(101)),
        ("priority", json!(-101)),
        ("max_retries", json!(101)),
        ("lease", json!(4_999)),
        ("lease", json!(0)),
        ("lease", json!(-60_000)),
        ("lease", json!(86_400_001)),
        ("not_after", json!(0)),
        ("not_after", json!(i64::MIN)),
        ("not_before", json!(-1)),
    ];
    for (field, value) in cases {
        refused(&hub, with(nap("north"), field, value), FieldInvalid, &format!("/{field}")).await;
    }
    for end in [far, far - 1] {
        let task = with(with(nap("north"), "not_before", json!(far)), "not_after", json!(end));
        refused(&hub, task, FieldInvalid, "/not_after").await;
    }
    assert_eq!(traces(&hub).await, (0, 0));
}

async fn a_field_of_the_wrong_shape_is_pointed_at(scene: Scene) {
    let hub = scene.hub().start().await;
    let _node = hub.hand_node("north").await;
    let cases = [
        ("type", json!(1)),
        ("node", json!(["north"])),
        ("priority", json!("high")),
        ("priority", json!(1e12)),
        ("max_retries", json!(-1)),
        ("lease", json!("5m")),
        ("not_before", json!("tomorrow")),
        ("not_after", json!(1.5)),
    ];
    for (field, value) in cases {
        refused(&hub, with(nap("north"), field, value), MalformedBody, &format!("/{field}")).await;
    }
    let problem = is_refused(
        &post(&hub, "/api/v1/tasks", &with(nap("north"), "not_befor", json!(1))).await,
        MalformedBody,
        Some("/not_befor"),
    );
    assert!(problem.detail.contains("not_before"), "the known fields are named: {problem:?}");
    refused(&hub, json!({ "type": "sleep" }), MalformedBody, "").await;
    refused(&hub, json!([]), MalformedBody, "").await;
    assert_eq!(traces(&hub).await, (0, 0));
}

async fn a_task_for_a_revoked_node_is_refused(scene: Scene) {
    let hub = scene.hub().start().await;
    let _node = hub.hand_node("north").await;
    hub.people().revoke_node("north").await.expect("an administrator may revoke");
    refused(&hub, nap("north"), NodeRevoked, "/node").await;
    assert_eq!(traces(&hub).await, (0, 0));
}

async fn a_payload_over_its_limit_is_refused_and_so_is_a_body(scene: Scene) {
    let hub = scene.hub().start().await;
    let _node = hub.hand_node("north").await;
    let over = |bytes: usize| format!("{{\"ms\":{}0}}", " ".repeat(bytes - r#"{"ms":0}"#.len()));
    for (bytes, pointer) in [((1 << 20) + 1, Some("/payload")), (2 << 20, None)] {
        let body = format!(r#"{{"type":"sleep","node":"north","payload":{}}}"#, over(bytes));
        let answer = hub.request(Method::POST, "/api/v1/tasks").body("application/json", body).send().await;
        is_refused(&answer, TooLarge, pointer);
    }
    assert_eq!(traces(&hub).await, (0, 0));
}
