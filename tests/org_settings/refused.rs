//! What cannot be chosen is refused with the place and the limits, and changes nothing.

use http::Method;
use serde_json::{Value, json};
use sortie_wire::problem::ProblemCode::{
    FieldInvalid, Forbidden, MalformedBody, Unauthenticated, UnknownOrgSetting, UnsupportedMediaType,
};
use stories::{As, Scene, on_sqlite};

use crate::help::{put, somebody, told};

on_sqlite!(
    a_value_that_does_not_fit_is_refused_with_the_place_and_the_limits,
    a_body_that_cannot_be_read_is_refused_with_the_place,
    a_key_that_does_not_exist_is_answered_with_the_nearest,
    whoever_may_not_change_settings_may_not_and_who_may_not_read_them_does_not,
);

async fn a_value_that_does_not_fit_is_refused_with_the_place_and_the_limits(scene: Scene) {
    let hub = scene.hub().start().await;
    let seconds = "from 60 to 86400";
    for (key, value, words) in [
        ("terminal.session_max_ttl_seconds", json!(59), seconds),
        ("terminal.session_max_ttl_seconds", json!(86401), seconds),
        ("terminal.session_max_ttl_seconds", json!(-1), seconds),
        ("terminal.session_max_ttl_seconds", json!(u64::MAX), seconds),
        ("terminal.session_max_ttl_seconds", json!(900.5), seconds),
        ("terminal.session_max_ttl_seconds", json!("900"), seconds),
        ("terminal.session_max_ttl_seconds", json!(true), seconds),
        ("terminal.session_max_ttl_seconds", json!([900]), seconds),
        ("terminal.session_max_ttl_seconds", json!({ "seconds": 900 }), seconds),
        ("terminal.session_max_ttl_seconds", Value::Null, seconds),
        ("tokens.valid_for_max_seconds", json!(-1), "from 0 to 315360000"),
        ("tokens.scopes_needed", json!("yes"), "true or false"),
        ("tokens.scopes_needed", json!(1), "true or false"),
        ("tokens.role_max", json!("root"), "viewer, service, operator, admin"),
        ("tokens.role_max", json!("Admin"), "viewer, service, operator, admin"),
        ("tokens.role_max", json!(""), "viewer, service, operator, admin"),
    ] {
        let refused = put(&hub, key, value).await.is_problem(FieldInvalid, Some("/value"));
        assert!(refused.detail.contains(words) && refused.detail.contains(key), "{refused:?}");
        assert!(refused.detail.contains("the default is"), "{refused:?}");
    }
    assert!(told(&hub).await.is_empty());
    assert!(hub.plan().sql("select key from org_settings").is_empty());
}

async fn a_body_that_cannot_be_read_is_refused_with_the_place(scene: Scene) {
    let hub = scene.hub().start().await;
    let request = || hub.request(Method::PUT, "/api/v1/settings/sessions.idle_seconds");
    for (body, pointer) in [
        ("{}", ""),
        ("900", ""),
        (r#"{"value": 900"#, ""),
        (r#"{"value": 900, "org": "other"}"#, "/org"),
        (r#"{"value": 900, "value": 901}"#, ""),
    ] {
        let refused = request().body("application/json", body).send().await;
        let problem = refused.problem();
        assert_eq!(problem.code, MalformedBody, "{body}: {problem:?}");
        assert!(problem.pointer.is_some_and(|at| at == pointer || at == "/value"), "{body}");
    }
    request().body("text/plain", r#"{"value": 900}"#).send().await.is_problem(UnsupportedMediaType, None);
    assert!(told(&hub).await.is_empty());
}

async fn a_key_that_does_not_exist_is_answered_with_the_nearest(scene: Scene) {
    let hub = scene.hub().start().await;
    for (key, nearest) in [
        ("sessions.idle_second", "`sessions.idle_seconds`"),
        ("session_max_ttl_seconds", "`terminal.session_max_ttl_seconds`"),
        ("TOKENS.ROLE_MAX", "GET /api/v1/settings"),
        ("colour", "GET /api/v1/settings"),
    ] {
        let path = format!("/api/v1/settings/{key}");
        for method in [Method::GET, Method::PUT, Method::DELETE] {
            let request = hub.request(method, &path).json(&json!({ "value": 900 }));
            let refused = request.send().await.is_problem(UnknownOrgSetting, None);
            assert!(refused.detail.contains(nearest) && refused.detail.contains(key), "{refused:?}");
        }
    }
    let long = hub.request(Method::GET, &format!("/api/v1/settings/{}", "k".repeat(5000))).send().await;
    assert!(long.is_problem(UnknownOrgSetting, None).detail.len() < 300);
}

async fn whoever_may_not_change_settings_may_not_and_who_may_not_read_them_does_not(scene: Scene) {
    let hub = scene.hub().start().await;
    let (operator, viewer) = (somebody(&hub, "operator").await, somebody(&hub, "viewer").await);
    let ask = async |method: Method, who: &As| {
        let request = hub.request(method, "/api/v1/settings/sessions.idle_seconds").json(&json!({ "value": 900 }));
        request.from(who.clone()).send().await
    };
    assert_eq!(ask(Method::GET, &operator).await.status, 200);
    for method in [Method::PUT, Method::DELETE] {
        ask(method, &operator).await.is_problem(Forbidden, None);
    }
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        ask(method.clone(), &viewer).await.is_problem(Forbidden, None);
        ask(method, &As::Nobody).await.is_problem(Unauthenticated, None);
    }
    assert!(told(&hub).await.is_empty());
}
