//! Requests that no route can make sense of are problems too, with a code and a correlation id.

use http::Method;
use serde_json::json;
use sortie_wire::problem::ProblemCode::{
    MalformedBody, MalformedParameter, MethodNotAllowed, UnknownNode, UnknownRoute, UnknownTask, UnsupportedMediaType,
};
use stories::{Scene, on_both_engines, on_sqlite};

use crate::help::{is_refused, nap, traces};

on_both_engines!(a_parameter_that_cannot_be_read_is_refused);
on_sqlite!(
    a_body_that_is_not_json_is_refused,
    a_body_that_is_not_declared_as_json_is_refused,
    an_address_that_is_not_there_and_a_method_it_does_not_take_are_problems,
    an_id_that_is_none_is_refused_and_one_that_is_nobody_s_is_not_found,
);

async fn a_body_that_is_not_json_is_refused(scene: Scene) {
    let hub = scene.hub().start().await;
    let _node = hub.hand_node("north").await;
    let whole = nap("north").to_string();
    let (half, twice) = (&whole[..whole.len() / 2], format!("{whole}{whole}"));
    let double = r#"{"type":"sleep","type":"sys.info","node":"north"}"#;
    let bodies: [&[u8]; 7] =
        [b"", b"sleep", half.as_bytes(), twice.as_bytes(), b"\xff\xfe{}", double.as_bytes(), b"{\"type\":\"sleep\",}"];
    for body in bodies {
        let request = hub.request(Method::POST, "/api/v1/tasks");
        let answer = request.body("application/json", body).send().await;
        assert_eq!(answer.problem().code, MalformedBody, "{answer:?}");
    }
    assert_eq!(traces(&hub).await, (0, 0));
}

async fn a_body_that_is_not_declared_as_json_is_refused(scene: Scene) {
    let hub = scene.hub().start().await;
    let _node = hub.hand_node("north").await;
    for kind in ["text/plain", "application/x-www-form-urlencoded", "application/json-seq", "application/jsonx", ""] {
        let request = hub.request(Method::POST, "/api/v1/tasks").body(kind, nap("north").to_string());
        is_refused(&request.send().await, UnsupportedMediaType, None);
    }
    assert_eq!(traces(&hub).await, (0, 0));
    for kind in ["application/json", "application/json; charset=utf-8", "Application/JSON"] {
        let request = hub.request(Method::POST, "/api/v1/tasks").body(kind, nap("north").to_string());
        assert_eq!(request.send().await.status, 201, "{kind}");
    }
}

async fn an_address_that_is_not_there_and_a_method_it_does_not_take_are_problems(scene: Scene) {
    let hub = scene.hub().start().await;
    for path in ["/", "/api/v1", "/api/v1/taks", "/api/v1/tasks/", "/api/v2/tasks", "/agent/v1", "/%00", "/..%2fetc"] {
        is_refused(&hub.request(Method::GET, path).send().await, UnknownRoute, None);
    }
    for (method, path, allowed) in [
        (Method::DELETE, "/api/v1/tasks", "POST"),
        (Method::PUT, "/api/v1/tasks/batch", "POST"),
        (Method::GET, "/api/v1/tasks/01980c5e-7d1a-7c3e-9b7e-0123456789ab/cancel", "POST"),
        (Method::POST, "/api/v1/events", "GET"),
    ] {
        let answer = hub.request(method, path).send().await;
        is_refused(&answer, MethodNotAllowed, None);
        let allow = answer.headers.get("allow").and_then(|value| value.to_str().ok()).unwrap_or_default();
        assert!(allow.contains(allowed), "the answer says what is taken: {answer:?}");
    }
}

async fn a_parameter_that_cannot_be_read_is_refused(scene: Scene) {
    let hub = scene.hub().start().await;
    for path in [
        "/api/v1/tasks?limit=0",
        "/api/v1/tasks?limit=1001",
        "/api/v1/tasks?limit=-1",
        "/api/v1/tasks?limit=many",
        "/api/v1/tasks?limit=1&limit=2",
        "/api/v1/tasks?status=done",
        "/api/v1/tasks?status=pending,",
        "/api/v1/tasks?status=",
        "/api/v1/tasks?dead=perhaps",
        "/api/v1/tasks?after=yesterday",
        "/api/v1/tasks?colour=red",
        "/api/v1/tasks/01980c5e-7d1a-7c3e-9b7e-0123456789ab?wait_s=-5",
        "/api/v1/events?limit=1001",
        "/api/v1/events?after=-1",
        "/api/v1/events?task=1",
        "/api/v1/events?colour=red",
        "/api/v1/tasks?type=%00",
        "/api/v1/tasks?type=%27--",
    ] {
        is_refused(&hub.request(Method::GET, path).send().await, MalformedParameter, None);
    }
    for path in ["/api/v1/tasks?node=south", "/api/v1/events?node=south", "/api/v1/tasks?node=%00"] {
        is_refused(&hub.request(Method::GET, path).send().await, UnknownNode, None);
    }
    for path in ["/api/v1/events?kind=%00", "/api/v1/events?kind=%25"] {
        let answer = hub.request(Method::GET, path).send().await;
        assert_eq!((answer.status, answer.json()["items"].clone()), (200, json!([])), "{answer:?}");
    }
    for path in ["/api/v1/events?after=18446744073709551615", "/api/v1/events?after=9223372036854775807"] {
        let answer = hub.request(Method::GET, path).send().await;
        assert_eq!((answer.status, answer.json()["items"].clone()), (200, json!([])), "{answer:?}");
    }
}

async fn an_id_that_is_none_is_refused_and_one_that_is_nobody_s_is_not_found(scene: Scene) {
    let hub = scene.hub().start().await;
    let nobody = "01980c5e-7d1a-7c3e-9b7e-0123456789ab";
    for (method, end) in [(Method::GET, ""), (Method::POST, "/cancel"), (Method::POST, "/requeue")] {
        for id in ["1", "north", "%ff", "01980c5e-7d1a-7c3e-9b7e-0123456789aZ"] {
            let answer = hub.request(method.clone(), &format!("/api/v1/tasks/{id}{end}")).send().await;
            is_refused(&answer, MalformedParameter, None);
        }
        let answer = hub.request(method, &format!("/api/v1/tasks/{nobody}{end}")).send().await;
        is_refused(&answer, UnknownTask, None);
    }
}
