//! What has happened is seen soon, wherever it happened.

use serde_json::json;
use stories::{Engine, RunningHub, Scene, on_both_engines, until};

use crate::help::{counter, shows, summary};

on_both_engines!(an_event_evicts_what_was_counted_before_it, what_no_event_has_changed_is_served_from_memory,);

async fn evictions(hub: &RunningHub<'_>, model: &str) -> u64 {
    counter(hub, "sortie_read_model_evictions_total", &[&format!("model=\"{model}\"")]).await
}

/// Somebody looks at one hub all the time, and tasks come in at another, or the same, until what is in memory at the
/// first was evicted for it: its life is short as well, and may end before the event is seen.
async fn is_evicted(looked_at: &RunningHub<'_>, hub: &RunningHub<'_>) {
    let mut submitted = 0;
    until("what was counted is evicted by an event", async || {
        hub.submit("north", "sys.info", json!({})).await;
        submitted += 1;
        shows(looked_at, "the task is seen", |summary| summary.tasks.is_some_and(|tasks| tasks.pending == submitted))
            .await;
        (evictions(looked_at, "tasks").await > 0).then_some(())
    })
    .await;
}

async fn an_event_evicts_what_was_counted_before_it(scene: Scene) {
    let hub = scene.hub().start().await;
    let _node = hub.hand_node("north").await;
    is_evicted(&hub, &hub).await;
    assert_eq!(evictions(&hub, "operations").await, 0, "what an event does not touch stays");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_event_at_one_hub_evicts_what_another_has_in_memory() {
    let scene = Scene::new(Engine::Postgres);
    let hub = scene.hub().start().await;
    let other = hub.plan().beside("other").start().await;
    let _node = hub.hand_node("north").await;
    is_evicted(&other, &hub).await;
}

async fn what_no_event_has_changed_is_served_from_memory(scene: Scene) {
    let hub = scene.hub().start().await;
    let answers = async |from: &str| {
        counter(&hub, "sortie_read_model_answers_total", &["model=\"nodes\"", &format!("from=\"{from}\"")]).await
    };
    until("one of those who ask is answered from memory", async || {
        summary(&hub).await;
        (answers("memory").await > 0).then_some(())
    })
    .await;
    assert!(answers("read").await > 0 && answers("older").await == 0);
    let before = summary(&hub).await.as_of;
    shows(&hub, "it is counted anew when its life is over", |summary| summary.as_of > before).await;
}
