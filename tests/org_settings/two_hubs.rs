//! Two hubs on one PostgreSQL: what is chosen at one is obeyed by the other.

use serde_json::json;
use stories::{Engine, Scene, until};

use crate::help::{ask_for_token, set, value};

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
