//! A task that comes in at one hub wakes the agent that waits at another.

use serde_json::json;
use sortie_rules::tasks::Status;
use stories::{Engine, RunningHub, Scene, until};

async fn two(scene: &Scene) -> (RunningHub<'_>, RunningHub<'_>) {
    let hub = scene.hub().start().await;
    let other = hub.plan().beside("other").start().await;
    (hub, other)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_wait_that_is_held_at_another_hub_is_woken_and_so_is_who_waits_for_the_end() {
    let scene = Scene::new(Engine::Postgres);
    let (hub, other) = two(&scene).await;
    let site = other.site("north").await;
    let _agent = site.start();
    for _ in 0..5 {
        let id = hub.submit("north", "sys.info", json!({})).await;
        assert_eq!(hub.ended(id).await.summary.status, Status::Completed);
    }
    // A task that is called off at one hub stops where it runs.
    let id = hub.submit("north", "sleep", json!({ "ms": 3_600_000 })).await;
    until("it runs", async || (hub.task(id).await.summary.status == Status::InProgress).then_some(())).await;
    hub.people().cancel_task(id).await.expect("an administrator may");
    assert_eq!(hub.ended(id).await.summary.status, Status::Cancelled);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn bells_that_are_lost_delay_and_lose_nothing() {
    let scene = Scene::new(Engine::Postgres);
    let (hub, other) = two(&scene).await;
    let site = other.site("north").await;
    let _agent = site.start();
    let listeners = "select count(pg_terminate_backend(pid)) from pg_stat_activity \
                     where query ilike 'listen sortie_bells%' or query ilike 'select pg_notify%' \
                     or query ilike 'select pg_try_advisory_lock(%'";
    for _ in 0..3 {
        hub.plan().sql(listeners);
        let id = hub.submit("north", "sys.info", json!({})).await;
        assert_eq!(hub.ended(id).await.summary.status, Status::Completed);
    }
}
