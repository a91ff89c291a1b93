//! A task that comes in at one hub wakes the agent that waits at another.

use serde_json::json;
use sortie_rules::tasks::Status;
use sortie_rules::time::Span;
use stories::{Engine, Net, RunningHub, Scene, now, until};

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

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_bell_that_its_sender_could_not_ring_rings_when_it_can_again() {
    let scene = Scene::new(Engine::Postgres);
    let url = scene.postgres().expect("it is on PostgreSQL").fresh_database();
    let net = Net::to(&url).await;
    let hub = scene.hub().setting("database_url", net.to_database(&url)).start().await;
    let other = hub.plan().beside("other").setting("database_url", &url).start().await;
    let node = other.hand_node("north").await;
    assert!(node.wait(1, 0).await.tasks.is_empty());
    let query = node.next_wait(1, 50);
    let wait = async { (node.try_wait(&query).await.expect("it is in order"), now()) };
    let submitted = async {
        until("the wait is held", async || {
            other.operations("/metrics").await.1.lines().any(|line| line == "sortie_waits_held 1").then_some(())
        })
        .await;
        net.lose_question("pg_notify");
        (hub.submit("north", "sys.info", json!({})).await, now())
    };
    let ((delivery, came), (id, began)) = tokio::join!(wait, submitted);
    assert!(!net.has_question_to_lose(), "the first ring was lost");
    assert_eq!(delivery.tasks.iter().map(|task| task.id).collect::<Vec<_>>(), [id]);
    let took = came.since(began);
    assert!(took < Span::seconds(20), "it was not looked for at the end of the wait alone: {took}");
}
