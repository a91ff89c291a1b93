//! What an org chose for its tokens and invites is obeyed from the next request on, and by those alone.

use http::Method;
use serde_json::json;
use sortie_wire::problem::ProblemCode::FieldInvalid;
use stories::{Answer, RunningHub, Scene, on_both_engines, on_sqlite};

use crate::help::{ask_for_token, put, set};

on_both_engines!(where_tokens_must_end_longer_and_endless_ones_are_refused);
on_sqlite!(
    a_token_is_not_made_for_more_than_the_org_allows,
    an_invite_lives_no_longer_than_the_org_allows,
    a_request_that_is_repeated_is_answered_as_before_whatever_was_chosen_since,
);

const DAY_MS: i64 = 86_400_000;

/// That it was refused there, with the key that an administrator can change.
fn refused(answer: &Answer, pointer: &str, key: &str) {
    let problem = answer.is_problem(FieldInvalid, Some(pointer));
    assert!(problem.detail.contains(key), "{problem:?}");
}

async fn where_tokens_must_end_longer_and_endless_ones_are_refused(scene: Scene) {
    const KEY: &str = "tokens.valid_for_max_seconds";
    let hub = scene.hub().start().await;
    let endless = json!({ "name": "ci", "role": "viewer" });
    let lasting = |ms: i64| json!({ "name": "ci", "role": "viewer", "valid_for": ms });
    assert_eq!(ask_for_token(&hub, endless.clone()).await.status, 201);
    set(&hub, KEY, json!(86_400)).await;
    for fields in [endless.clone(), lasting(DAY_MS + 1), lasting(i64::MAX)] {
        let answer = ask_for_token(&hub, fields).await;
        refused(&answer, "/valid_for", KEY);
        assert!(answer.problem().detail.contains("86400000"), "it says how long it may be");
    }
    assert_eq!(ask_for_token(&hub, lasting(DAY_MS)).await.status, 201);
    hub.sortie(&["token", "create", "--name", "x", "--role", "viewer"]).failed(3, &["/valid_for", KEY]);
    assert!(hub.people().whoami().await.is_ok(), "the administrator's own has no end, and was made before");
    hub.people().reset_org_setting(KEY).await.unwrap();
    assert_eq!(ask_for_token(&hub, endless).await.status, 201);
}

async fn a_token_is_not_made_for_more_than_the_org_allows(scene: Scene) {
    let hub = scene.hub().start().await;
    set(&hub, "tokens.role_max", json!("service")).await;
    for (role, status) in [("viewer", 201), ("service", 201), ("operator", 422), ("admin", 422)] {
        let answer = ask_for_token(&hub, json!({ "name": role, "role": role })).await;
        assert_eq!(answer.status, status, "{answer:?}");
        if status == 422 {
            refused(&answer, "/role", "tokens.role_max");
        }
    }
    set(&hub, "tokens.scopes_needed", json!(true)).await;
    let with = |scopes: serde_json::Value| json!({ "name": "ci", "role": "service", "scopes": scopes });
    refused(&ask_for_token(&hub, with(json!(null))).await, "/scopes", "tokens.scopes_needed");
    assert_eq!(ask_for_token(&hub, with(json!(["tasks:write"]))).await.status, 201);
    set(&hub, "tokens.role_max", json!("admin")).await;
    set(&hub, "tokens.scopes_needed", json!(false)).await;
    assert_eq!(ask_for_token(&hub, json!({ "name": "root", "role": "admin" })).await.status, 201);
}

async fn an_invite_lives_no_longer_than_the_org_allows(scene: Scene) {
    const KEY: &str = "invites.valid_for_max_seconds";
    let hub = scene.hub().start().await;
    set(&hub, KEY, json!(600)).await;
    let plain = invite(&hub, json!({ "node": "north" })).await.json();
    let life = |made: &serde_json::Value| {
        let at = |name: &str| made["details"][name].as_i64().expect("an instant");
        at("expires_at") - at("created_at")
    };
    assert_eq!(life(&plain), 600_000, "what is usual is cut");
    assert_eq!(life(&invite(&hub, json!({ "node": "south", "valid_for": 600_000 })).await.json()), 600_000);
    refused(&invite(&hub, json!({ "node": "west", "valid_for": 600_001 })).await, "/valid_for", KEY);
    refused(&put(&hub, KEY, json!(2_592_001)).await, "/value", KEY);
    hub.people().reset_org_setting(KEY).await.unwrap();
    assert_eq!(life(&invite(&hub, json!({ "node": "west" })).await.json()), 3_600_000);
}

async fn a_request_that_is_repeated_is_answered_as_before_whatever_was_chosen_since(scene: Scene) {
    let hub = scene.hub().start().await;
    let token = async || {
        let request = hub.request(Method::POST, "/api/v1/tokens").header("idempotency-key", "once");
        request.json(&json!({ "name": "ci", "role": "operator" })).send().await
    };
    let first = token().await.json();
    set(&hub, "tokens.role_max", json!("viewer")).await;
    set(&hub, "tokens.valid_for_max_seconds", json!(60)).await;
    assert_eq!(token().await.json()["token"], first["token"]);
}

async fn invite(hub: &RunningHub<'_>, fields: serde_json::Value) -> Answer {
    hub.request(Method::POST, "/api/v1/invites").json(&fields).send().await
}
