//! One request can be found again: in its answer, in the hub's log, and in the trace it belongs to.

use std::collections::BTreeSet;

use http::Method;
use stories::{As, HandNode, Scene, on_both_engines, on_sqlite};

use crate::help::{nap, submit, task};

on_both_engines!(a_trace_goes_with_the_task_to_its_node);
on_sqlite!(
    a_trace_reaches_the_agent_s_log,
    what_is_no_trace_is_left_out,
    every_answer_has_a_correlation_id_of_its_own_and_the_log_knows_it,
);

const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

async fn a_trace_goes_with_the_task_to_its_node(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    let traced = hub.people().traced(TRACE).submit(&task(nap("north")), None).await.expect("it is in order").id;
    let plain = submit(&hub, nap("north")).await;
    let handed = node.wait(2, 5).await.tasks;
    assert_eq!(handed.iter().map(|task| task.traceparent.as_deref()).collect::<Vec<_>>(), [Some(TRACE), None]);
    node.report(&HandNode::completed(&handed[0], serde_json::json!({ "slept_ms": 0 }))).await.expect("it is taken");
    assert_eq!(hub.task(traced).await.traceparent.as_deref(), Some(TRACE));
    assert_eq!(hub.task(plain).await.traceparent, None);
}

async fn a_trace_reaches_the_agent_s_log(scene: Scene) {
    let hub = scene.hub().start().await;
    let site = hub.site("north").await.setting("log_level", "debug");
    let _agent = site.start();
    let id = hub.people().traced(TRACE).submit(&task(nap("north")), None).await.expect("it is in order").id;
    hub.ended(id).await;
    let log = site.log();
    let line = log.lines().find(|line| line.contains(TRACE)).unwrap_or_else(|| panic!("no trace in:\n{log}"));
    assert!(line.contains(&id.to_string()), "{line}");
}

async fn what_is_no_trace_is_left_out(scene: Scene) {
    let hub = scene.hub().start().await;
    let _node = hub.hand_node("north").await;
    for text in [
        "hello",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-and-more",
    ] {
        let request = hub.request(Method::POST, "/api/v1/tasks").header("traceparent", text).json(&nap("north"));
        let answer = request.send().await;
        assert_eq!(answer.status, 201, "a trace is no reason to refuse a task: {answer:?}");
        let id = answer.json()["id"].as_str().and_then(|id| id.parse().ok()).expect("an id");
        assert_eq!(hub.task(id).await.traceparent, None, "{text}");
    }
}

async fn every_answer_has_a_correlation_id_of_its_own_and_the_log_knows_it(scene: Scene) {
    let hub = scene.hub().variable("SORTIE_LOG", "debug").start().await;
    let _node = hub.hand_node("north").await;
    let good = hub.request(Method::POST, "/api/v1/tasks").json(&nap("north"));
    let get = |path: &str| hub.request(Method::GET, path);
    let mut ids = BTreeSet::new();
    for (request, status) in [
        (good.clone(), 201),
        (good.header("X-Correlation-Id", "mine"), 201),
        (get("/api/v1/tasks"), 200),
        (get("/api/openapi.json"), 200),
        (get("/api/v1/tasks?limit=0"), 400),
        (get("/api/v1/tasks").from(As::Nobody), 401),
        (get("/api/v1/tasks").from(As::Token("sortie_tok_none".into())), 401),
        (get("/api/v1/nothing"), 404),
        (hub.request(Method::DELETE, "/api/v1/tasks"), 405),
    ] {
        let answer = request.send().await;
        assert_eq!(answer.status, status, "{answer:?}");
        let id = answer.headers.get("x-correlation-id").and_then(|id| id.to_str().ok()).expect("an id").to_owned();
        if status >= 400 {
            assert_eq!(answer.problem().instance.as_ref(), Some(&id));
            let log = hub.log();
            assert!(log.lines().any(|line| line.contains(&id) && line.contains("Refused")), "{id} in:\n{log}");
        }
        ids.insert(id);
    }
    assert_eq!(ids.len(), 9, "each has its own");
}
