//! Orgs: who makes them, and who does not.

use http::Method;
use serde_json::json;
use sortie_wire::problem::ProblemCode::{FieldInvalid, Forbidden, IdempotencyKeyReused, OrgExists};
use stories::{As, Scene, on_both_engines, on_sqlite};

use crate::help::{PASSWORD, sign_in};

on_both_engines!(an_org_has_an_administrator_of_its_own, a_repeated_request_makes_one_org);
on_sqlite!(an_org_that_cannot_be_is_refused, only_the_hub_s_own_org_makes_others);

async fn an_org_has_an_administrator_of_its_own(scene: Scene) {
    let hub = scene.hub().start().await;
    let token = hub.sortie(&["org", "create", "north"]).well().stdout.trim().to_owned();
    let whoami = hub.people_as(&token).whoami().await.unwrap();
    assert_eq!((whoami.name.as_str(), whoami.role.as_str()), ("admin", "admin"));
    let listed = hub.sortie_json(&["org", "list"])["items"].clone();
    let north = listed.as_array().unwrap().iter().find(|org| org["name"] == json!("north")).expect("it is listed");
    assert_eq!(north["id"], json!(whoami.org));
    // It lets its own people in.
    let body = json!({ "name": "nora", "role": "operator", "password": PASSWORD });
    let made = hub.request(Method::POST, "/api/v1/accounts").from(As::Token(token)).json(&body).send().await;
    assert_eq!(made.status, 201, "{made:?}");
    assert_eq!(sign_in(&hub, "nora", PASSWORD).await.status, 200);
    assert_eq!(hub.request(Method::GET, "/api/v1/accounts").send().await.json()["items"], json!([]), "not ours");
}

async fn a_repeated_request_makes_one_org(scene: Scene) {
    let hub = scene.hub().start().await;
    let request = |name: &str| {
        hub.request(Method::POST, "/api/v1/orgs").header("idempotency-key", "once").json(&json!({ "name": name }))
    };
    let (first, again) = (request("north").send().await, request("north").send().await);
    assert_eq!((first.status, again.status), (201, 201), "{again:?}");
    assert_eq!(first.json(), again.json(), "the same org, and the same token");
    request("south").send().await.is_problem(IdempotencyKeyReused, None);
    assert_eq!(hub.events("org.created").await.len(), 1);
}

async fn an_org_that_cannot_be_is_refused(scene: Scene) {
    let hub = scene.hub().start().await;
    let make = async |body| hub.request(Method::POST, "/api/v1/orgs").json(&body).send().await;
    for name in ["", "North", "no rth", &"a".repeat(64)] {
        make(json!({ "name": name })).await.is_problem(FieldInvalid, Some("/name"));
    }
    let id = "01980c5e-7d1a-7c3e-9b7e-0123456789ab";
    assert_eq!(make(json!({ "name": "north", "id": id })).await.json()["org"]["id"], json!(id));
    make(json!({ "name": "north" })).await.is_problem(OrgExists, None);
    make(json!({ "name": "south", "id": id })).await.is_problem(OrgExists, None);
}

async fn only_the_hub_s_own_org_makes_others(scene: Scene) {
    let hub = scene.hub().start().await;
    let token = hub.sortie(&["org", "create", "north"]).well().stdout.trim().to_owned();
    let request = hub.request(Method::POST, "/api/v1/orgs").from(As::Token(token)).json(&json!({ "name": "south" }));
    let refused = request.send().await.is_problem(Forbidden, None);
    assert!(refused.detail.contains("the hub's own org"), "{refused:?}");
}
