//! A database that is slow, or says nothing at all.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use sortie_rules::tasks::Status;
use sortie_wire::problem::ProblemCode;
use stories::{Engine, HandNode, Scene};

use crate::place::{behind_a_net, ready, server, submit_once, tasks};

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_slow_database_makes_a_slow_hub_and_nothing_else() {
    let scene = Scene::new(Engine::Postgres);
    let (plan, net, _) = behind_a_net(&scene).await;
    let hub = plan.start().await;
    let node = hub.hand_node("north").await;
    // A hundred times what a server beside the hub takes.
    net.be_late(Duration::from_millis(10));
    let id = hub.submit("north", "sys.info", json!({})).await;
    let task = node.take_one().await;
    assert_eq!(task.id, id);
    let receipt = node.report(&HandNode::completed(&task, json!({}))).await.expect("it is taken");
    assert!(receipt.refused.is_none(), "{receipt:?}");
    assert!(hub.task(id).await.summary.status.is_terminal());
    assert_ne!(hub.task(id).await.summary.status, Status::Pending);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_database_that_says_nothing_does_not_hold_requests_for_ever() {
    let scene = Scene::new(Engine::Postgres);
    let (plan, net, url) = behind_a_net(&scene).await;
    let hub = plan
        .setting("database.connections", 2)
        .setting("database.connection_wait_s", 1)
        .setting("database.statement_max_s", 1)
        .start()
        .await;
    let _node = hub.hand_node("north").await;
    assert_eq!(submit_once(&hub, "north").await.status, 201);
    net.stall();
    // More than there are connections: those that get none are sent away sooner.
    for answer in join_all((0..5).map(|_| submit_once(&hub, "north"))).await {
        answer.is_problem(ProblemCode::StorageUnavailable, None);
        assert!(answer.headers.contains_key("retry-after"), "{answer:?}");
    }
    net.mend();
    ready(&hub, true).await;
    let before = tasks(server(&scene), &url);
    assert_eq!(submit_once(&hub, "north").await.status, 201);
    assert_eq!(tasks(server(&scene), &url), before + 1);
}
