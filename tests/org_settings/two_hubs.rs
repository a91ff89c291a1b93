//! Two hubs on one PostgreSQL: what is chosen at one is obeyed by the other.

use http::Method;
use serde_json::json;
use sortie_wire::problem::ProblemCode::{Forbidden, UnknownOrgSetting};
use stories::{Engine, RunningHub, Scene, looks_again, until};

use crate::help::{ask_for_token, set, somebody, value};

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_is_chosen_at_one_hub_is_obeyed_by_the_other() {
    let scene = Scene::new(Engine::Postgres);
    let plan = scene.hub().start().await.stop().await.0;
    let beside = plan.beside("beside");
    let (one, other) = (plan.start().await, beside.start().await);
    let status = async || ask_for_token(&other, json!({ "name": "ci", "role": "operator" })).await.status;
    assert_eq!(status().await, 201, "from now on the other has it in memory");
    for (chosen, expected) in [("viewer", 422), ("operator", 201), ("service", 422)] {
        set(&one, "tokens.role_max", json!(chosen)).await;
        assert_eq!(value(&other, "tokens.role_max").await, json!(chosen));
        until("the other hub obeys", async || (status().await == expected).then_some(())).await;
    }
}

/// Waits until a hub has followed all that has happened before this was asked.
async fn has_followed(hub: &RunningHub<'_>) {
    // So that all of it has a number.
    hub.events("setting").await;
    looks_again(hub, "follow_changes").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_was_changed_by_hand_is_forgotten_at_every_hub_by_one_command_at_any() {
    const KEY: &str = "tokens.role_max";
    let scene = Scene::new(Engine::Postgres);
    let plan = scene.hub().start().await.stop().await.0;
    let beside = plan.beside("beside");
    let (one, other) = (plan.start().await, beside.start().await);
    let status = async |hub| ask_for_token(hub, json!({ "name": "ci", "role": "operator" })).await.status;
    set(&one, KEY, json!("admin")).await;
    let mut expected = 201;
    // Once for this key, once for all.
    for (chosen, then, words) in
        [("viewer", 422, vec!["settings", "evict", KEY]), ("admin", 201, vec!["settings", "evict"])]
    {
        for hub in [&one, &other] {
            has_followed(hub).await;
            assert_eq!(status(hub).await, expected, "from now on it has this in memory");
        }
        one.plan().sql(&format!("update org_settings set value = '\"{chosen}\"' where key = '{KEY}'"));
        assert_eq!((status(&one).await, status(&other).await), (expected, expected), "nobody has told them");
        let said = other.sortie(&words).well().stderr;
        assert!(said.contains("within a second"), "{said}");
        assert_eq!(status(&other).await, then, "here at once");
        until("the other hub reads it again", async || (status(&one).await == then).then_some(())).await;
        expected = then;
    }
    let told: Vec<_> = one.events("setting.evicted").await.into_iter().map(|event| event.data["key"].clone()).collect();
    assert_eq!(told, [json!(KEY), json!(null)]);
    let evict = |body: serde_json::Value| one.request(Method::POST, "/api/v1/settings/evict").json(&body);
    evict(json!({ "key": "tokens.role" })).send().await.is_problem(UnknownOrgSetting, None);
    evict(json!({})).from(somebody(&one, "operator").await).send().await.is_problem(Forbidden, None);
    let all = one.sortie_json(&["settings", "list"])["items"].as_array().map(Vec::len);
    assert_eq!(one.sortie_json(&["settings", "evict"])["keys"].as_array().map(Vec::len), all);
}
