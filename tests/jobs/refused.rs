//! Jobs that are refused, each with its code and the place in the request.

use http::Method;
use serde_json::{Value, json};
use sortie_wire::problem::ProblemCode::{
    FieldInvalid, IdempotencyKeyReused, MalformedParameter, PayloadInvalid, SelectorMatchesNothing, UnknownJob,
    UnknownNode, UnknownTaskType,
};
use stories::{Scene, on_both_engines, on_sqlite};

use crate::help::{label, naps};

on_both_engines!(one_key_begins_one_job);
on_sqlite!(what_cannot_be_run_is_refused_and_nothing_begins, a_job_that_is_not_there_is_told);

async fn what_cannot_be_run_is_refused_and_nothing_begins(scene: Scene) {
    let hub = scene.hub().start().await;
    let _node = hub.hand_node("north").await;
    let _gone = hub.hand_node("gone").await;
    label(&hub, "north", "zone", "north").await;
    hub.people().revoke_node("gone").await.expect("an administrator may revoke");
    let with = |field: &str, value: Value| {
        let mut request = naps(json!({ "all": true }));
        request[field] = value;
        request
    };
    let wrong = [
        (naps(json!({ "label": "zone=south" })), SelectorMatchesNothing, "/selector"),
        (naps(json!({ "label": "zone=north", "site": "elsewhere" })), SelectorMatchesNothing, "/selector"),
        (naps(json!({ "names": ["gone"] })), SelectorMatchesNothing, "/selector"),
        (naps(json!({})), SelectorMatchesNothing, "/selector"),
        (naps(json!({ "label": "zone=north,=x" })), FieldInvalid, "/selector/label"),
        (naps(json!({ "names": ["north", "nowhere"] })), UnknownNode, "/selector/names"),
        (with("type", json!("sleeep")), UnknownTaskType, "/type"),
        (with("payload", json!({ "ms": "long" })), PayloadInvalid, "/payload/ms"),
        (with("at_a_time", json!(0)), FieldInvalid, "/at_a_time"),
        (with("stop_after_failures", json!(0)), FieldInvalid, "/stop_after_failures"),
        (with("stop_after_percent", json!(101)), FieldInvalid, "/stop_after_percent"),
        (with("not_after", json!(1)), FieldInvalid, "/not_after"),
        (with("priority", json!(101)), FieldInvalid, "/priority"),
    ];
    for (request, code, pointer) in wrong {
        for path in ["/api/v1/jobs", "/api/v1/jobs/preview"] {
            hub.request(Method::POST, path).json(&request).send().await.is_problem(code, Some(pointer));
        }
    }
    let jobs = hub.people().jobs(&sortie_wire::jobs::JobQuery::default()).await.expect("an administrator may list");
    assert!(jobs.items.is_empty() && hub.events("job").await.is_empty());
}

async fn one_key_begins_one_job(scene: Scene) {
    let hub = scene.hub().start().await;
    let _node = hub.hand_node("north").await;
    let begin = async |request: &Value| {
        hub.request(Method::POST, "/api/v1/jobs").header("idempotency-key", "k1").json(request).send().await
    };
    let (first, second) = (begin(&naps(json!({ "all": true }))).await, begin(&naps(json!({ "all": true }))).await);
    assert_eq!((first.status, second.status), (201, 201));
    assert_eq!(first.json(), second.json());
    let other = begin(&naps(json!({ "names": ["north"] }))).await;
    other.is_problem(IdempotencyKeyReused, None);
    let jobs = hub.people().jobs(&sortie_wire::jobs::JobQuery::default()).await.expect("an administrator may list");
    assert_eq!(jobs.items.len(), 1);
}

async fn a_job_that_is_not_there_is_told(scene: Scene) {
    let hub = scene.hub().start().await;
    let path = "/api/v1/jobs/01980c5e-7d1a-7c3e-9b7e-0123456789ab";
    hub.request(Method::GET, path).send().await.is_problem(UnknownJob, None);
    hub.request(Method::GET, &format!("{path}/nodes")).send().await.is_problem(UnknownJob, None);
    hub.request(Method::POST, &format!("{path}/cancel")).send().await.is_problem(UnknownJob, None);
    hub.request(Method::GET, &format!("{path}/nodes?status=failled")).send().await.is_problem(MalformedParameter, None);
}
