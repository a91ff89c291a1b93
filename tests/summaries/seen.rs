//! Who sees what: it is asked of each request, whatever is in memory.

use http::Method;
use serde_json::{Value, json};
use sortie_wire::problem::ProblemCode;
use stories::{As, RunningHub, Scene, on_both_engines};

use crate::help::{shows, summary};

on_both_engines!(
    an_org_sees_its_own_numbers_and_nothing_else,
    a_token_sees_the_parts_that_it_may_read,
    a_token_that_is_revoked_sees_nothing_more_although_the_numbers_are_in_memory,
);

async fn token(hub: &RunningHub<'_>, fields: Value) -> (String, String) {
    let made = hub.request(Method::POST, "/api/v1/tokens").json(&fields).send().await;
    assert_eq!(made.status, 201, "{made:?}");
    let text = |value: &Value| value.as_str().expect("it was made").to_owned();
    (text(&made.json()["details"]["id"]), text(&made.json()["token"]))
}

async fn an_org_sees_its_own_numbers_and_nothing_else(scene: Scene) {
    let hub = scene.hub().start().await;
    let made = hub.request(Method::POST, "/api/v1/orgs").json(&json!({ "name": "elsewhere" })).send().await.json();
    let theirs = hub.people_as(made["admin"]["token"].as_str().expect("it has an administrator"));
    let _node = hub.hand_node("north").await;
    hub.submit("north", "sys.info", json!({})).await;
    let ours = shows(&hub, "it is counted", |summary| summary.tasks.is_some_and(|tasks| tasks.pending == 1)).await;
    assert_eq!(ours.nodes.map(|nodes| nodes.all), Some(1));
    for _ in 0..2 {
        let seen = theirs.summary().await.expect("an administrator may");
        assert_eq!(seen.nodes.map(|nodes| nodes.all), Some(0), "{seen:?}");
        assert_eq!(seen.tasks.map(|tasks| tasks.pending), Some(0), "{seen:?}");
    }
}

async fn a_token_sees_the_parts_that_it_may_read(scene: Scene) {
    let hub = scene.hub().start().await;
    summary(&hub).await;
    let (_, nodes_alone) = token(&hub, json!({ "name": "n", "role": "viewer", "scopes": ["nodes:read"] })).await;
    let seen = hub.people_as(&nodes_alone).summary().await.expect("it may be asked");
    assert!(seen.nodes.is_some(), "{seen:?}");
    assert!(seen.tasks.is_none() && seen.jobs.is_none() && seen.operations.is_none(), "{seen:?}");
    assert_eq!(seen.event, None, "it may not read events");
    let (_, viewer) = token(&hub, json!({ "name": "v", "role": "viewer" })).await;
    let seen = hub.people_as(&viewer).summary().await.expect("it may be asked");
    assert!(seen.nodes.is_some() && seen.tasks.is_some() && seen.jobs.is_some(), "{seen:?}");
    assert!(seen.operations.is_some() && seen.event.is_some(), "{seen:?}");
    let nobody = hub.request(Method::GET, "/api/v1/summary").from(As::Nobody).send().await;
    nobody.is_problem(ProblemCode::Unauthenticated, None);
}

async fn a_token_that_is_revoked_sees_nothing_more_although_the_numbers_are_in_memory(scene: Scene) {
    let hub = scene.hub().start().await;
    let (id, secret) = token(&hub, json!({ "name": "v", "role": "viewer" })).await;
    let ask = async || hub.request(Method::GET, "/api/v1/summary").from(As::Token(secret.clone())).send().await;
    assert_eq!(ask().await.status, 200);
    let revoked = hub.request(Method::POST, &format!("/api/v1/tokens/{id}/revoke")).send().await;
    assert_eq!(revoked.status, 200, "{revoked:?}");
    ask().await.is_problem(ProblemCode::Unauthenticated, None);
    assert!(!summary(&hub).await.outdated, "others see it still");
}
