//! Text that is JSON and yet a trap: too deep, numbers beyond all bounds, halves of characters, the
//! zero byte that PostgreSQL does not keep.

use http::Method;
use serde_json::json;
use serde_json::value::RawValue;
use sortie_rules::tasks::Status;
use sortie_wire::problem::ProblemCode::{MalformedBody, PayloadInvalid, UnknownNode, UnknownTaskType};
use sortie_wire::results::RunResult;
use stories::{HandNode, Scene, on_both_engines, on_sqlite};

use crate::help::{give_open_type, is_refused, nap, post, traces, with};

on_both_engines!(zero_bytes_are_refused_or_kept, a_result_that_nobody_could_read_is_refused_and_another_counts);
on_sqlite!(a_message_that_is_too_long_is_cut, a_payload_that_cannot_be_read_is_refused, a_deep_body_is_refused);

/// JSON by its grammar, and yet nothing that can be read.
fn unreadable() -> [String; 4] {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let deep_within = format!("{{\"a\":{}1{}}}", "{\"a\":".repeat(200), "}".repeat(200));
    [deep, deep_within, "[1e999]".to_owned(), r#"["\ud800"]"#.to_owned()]
}

async fn a_payload_that_cannot_be_read_is_refused(scene: Scene) {
    let hub = scene.hub().start().await;
    let _node = hub.hand_node("north").await;
    for payload in unreadable() {
        let body = format!(r#"{{"type":"sleep","node":"north","payload":{payload}}}"#);
        let answer = hub.request(Method::POST, "/api/v1/tasks").body("application/json", body).send().await;
        is_refused(&answer, PayloadInvalid, Some("/payload"));
    }
    assert_eq!(traces(&hub).await, (0, 0));
}

async fn a_deep_body_is_refused(scene: Scene) {
    let hub = scene.hub().start().await;
    for path in ["/api/v1/tasks", "/api/v1/tasks/batch", "/api/v1/invites"] {
        let body = "[".repeat(500_000);
        let answer = hub.request(Method::POST, path).body("application/json", body).send().await;
        assert_eq!(answer.problem().code, MalformedBody, "{answer:?}");
    }
}

async fn zero_bytes_are_refused_or_kept(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    let bad = with(nap("north"), "node", json!("nor\0th"));
    is_refused(&post(&hub, "/api/v1/tasks", &bad).await, UnknownNode, Some("/node"));
    let bad = with(nap("north"), "type", json!("sle\0ep"));
    is_refused(&post(&hub, "/api/v1/tasks", &bad).await, UnknownTaskType, Some("/type"));
    assert_eq!(traces(&hub).await, (0, 0));

    let payload = json!({ "ms": 0, "note": "zero \0 byte" });
    let id = hub.submit("north", "sleep", payload.clone()).await;
    let handed = node.take_one().await;
    assert_eq!(serde_json::from_str::<serde_json::Value>(handed.payload.get()).ok(), Some(payload.clone()));
    let message = Some("the disk said \0 and \u{1b}[31m nothing else".to_owned());
    let failed = RunResult { message, ..HandNode::failed(&handed, "odd_disk", false) };
    assert_eq!(node.report(&failed).await.expect("a receipt").refused, None);
    let ended = hub.task(id).await;
    assert_eq!((ended.payload, ended.summary.status), (payload, Status::Failed));
    assert!(ended.summary.message.is_some_and(|message| message.contains("the disk said")));
}

async fn a_message_that_is_too_long_is_cut(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    let id = hub.submit("north", "sleep", json!({ "ms": 0 })).await;
    let message = Some("ü".repeat(100_000));
    let failed = RunResult { message, ..HandNode::failed(&node.take_one().await, "wordy", false) };
    node.report(&failed).await.expect("it is taken");
    let kept = hub.task(id).await.summary.message.expect("it has one");
    assert!(kept.len() <= 4096 && kept.starts_with("üüü") && !kept.ends_with('ü'), "cut with a mark: {}", kept.len());
}

async fn a_result_that_nobody_could_read_is_refused_and_another_counts(scene: Scene) {
    let plan = scene.hub();
    give_open_type(&plan);
    let hub = plan.start().await;
    let node = hub.hand_node("north").await;
    let id = hub.submit("north", "open.count", json!({})).await;
    let handed = node.take_one().await;
    for text in unreadable() {
        let result = Some(RawValue::from_string(text).expect("it is JSON by its grammar"));
        let odd = RunResult { result, ..HandNode::completed(&handed, json!(1)) };
        let refused = node.report(&odd).await.expect_err("it is refused").to_string();
        assert!(refused.contains("field_invalid"), "{refused}");
        assert_eq!(hub.task(id).await.summary.status, Status::InProgress);
    }
    let kept = json!({ "zero": "\0", "word": "größer", "number": 1e300 });
    node.report(&HandNode::completed(&handed, kept.clone())).await.expect("it is taken");
    assert_eq!(hub.task(id).await.result, Some(kept));
}
