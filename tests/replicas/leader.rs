//! What needs doing once is done by one hub, and by another when that one dies.

use serde_json::json;
use serde_json::value::to_raw_value;
use sortie_rules::tasks::Status;
use sortie_rules::time::Span;
use sortie_wire::tasks::SubmitTask;
use stories::{Engine, RunningHub, Scene, until};

/// Whether a hub says that it leads.
async fn leads(hub: &RunningHub<'_>) -> bool {
    hub.operations("/metrics").await.1.lines().any(|line| line.starts_with("sortie_leader 1"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn when_the_leader_is_killed_another_hub_leads_and_lapsed_work_is_given_out_again() {
    let scene = Scene::new(Engine::Postgres);
    let hub = scene.hub().start().await;
    until("it leads", async || leads(&hub).await.then_some(())).await;
    let other = hub.plan().beside("other").start().await;
    let node = other.hand_node("north").await;
    let task = SubmitTask {
        type_name: "sleep".to_owned(),
        node: "north".to_owned(),
        payload: Some(to_raw_value(&json!({ "ms": 0 })).expect("it is JSON")),
        priority: None,
        not_before: None,
        not_after: None,
        max_retries: None,
        lease: Some(Span::seconds(5)),
    };
    let id = hub.people().submit(&task, None).await.expect("an administrator may").id;
    let held = node.take_one().await;
    assert_eq!((held.id, held.attempt), (id, 1));
    assert!(!leads(&other).await, "one leads at a time");
    let dead = hub.kill().await;
    until("the other leads", async || leads(&other).await.then_some(())).await;
    // The lease of what nobody reports lapses, and somebody notices.
    let again = until("it is handed out again", async || node.wait(1, 1).await.tasks.pop()).await;
    assert_eq!((again.id, again.attempt), (id, 2));
    let hub = dead.start().await;
    assert_eq!(hub.task(id).await.summary.status, Status::InProgress);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_leader_that_is_stopped_lets_another_lead_at_once() {
    let scene = Scene::new(Engine::Postgres);
    let hub = scene.hub().start().await;
    until("it leads", async || leads(&hub).await.then_some(())).await;
    let other = hub.plan().beside("other").start().await;
    hub.stop().await;
    assert_eq!(other.plan().sql("select count(*) from leaders where beat > 1"), ["0"], "it has let go");
    until("the other leads", async || leads(&other).await.then_some(())).await;
}
