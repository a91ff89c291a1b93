//! A node that an operator shuts out: at once, on whatever connection, and it is told so.

use http::Method;
use serde_json::json;
use sortie_rules::tasks::Status;
use sortie_wire::problem::ProblemCode::{CertificateRevoked, NodeRevoked, UnknownNode};
use stories::{Engine, HandNode, Scene, on_both_engines, on_sqlite, until};

use crate::help::open_wait;

on_both_engines!(a_revoked_node_is_refused_everywhere_at_once_and_its_open_wait_ends);
on_sqlite!(
    its_tasks_wait_until_somebody_decides,
    what_it_held_comes_to_its_end,
    a_running_agent_says_that_it_was_revoked_and_does_nothing_more,
    a_node_is_revoked_once_and_only_if_it_is_there,
    a_revocation_outlasts_a_restart,
);

async fn a_revoked_node_is_refused_everywhere_at_once_and_its_open_wait_ends(scene: Scene) {
    let hub = scene.hub().start().await;
    let (node, other) = (hub.hand_node("north").await, hub.hand_node("south").await);
    let held = open_wait(&hub, &node).await;
    hub.people().revoke_node("north").await.unwrap();
    held.ends_early().await;
    // On the connection that was open before, and on others.
    let refused = node.try_wait(&node.next_wait(1, 0)).await.unwrap_err();
    assert!(refused.problem().unwrap().detail.contains("--replace"), "{refused}");
    assert_eq!(node.heartbeat(&[]).await.unwrap_err().problem().unwrap().code, CertificateRevoked);
    for (method, path) in [
        (Method::GET, "/tasks/wait"),
        (Method::POST, "/heartbeat"),
        (Method::POST, "/results"),
        (Method::POST, "/tasks/01980c5e-7d1a-7c3e-9b7e-0123456789ab/result"),
    ] {
        node.request(method, path).json(&json!({})).send().await.is_problem(CertificateRevoked, None);
    }
    assert!(hub.people().node("north").await.unwrap().revoked_at.is_some());
    other.wait(1, 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_node_revoked_at_one_hub_loses_the_wait_that_another_holds() {
    let scene = Scene::new(Engine::Postgres);
    let hub = scene.hub().start().await;
    let other = hub.plan().beside("other").start().await;
    let mut node = hub.hand_node("north").await;
    node.go_to(&other);
    let held = open_wait(&other, &node).await;
    hub.people().revoke_node("north").await.unwrap();
    held.ends_early().await;
    assert_eq!(node.try_wait(&node.next_wait(1, 0)).await.unwrap_err().problem().unwrap().code, CertificateRevoked);
}

async fn its_tasks_wait_until_somebody_decides(scene: Scene) {
    let hub = scene.hub().start().await;
    let _node = hub.hand_node("north").await;
    let (waiting, called_off) =
        (hub.submit("north", "sys.info", json!({})).await, hub.submit("north", "sys.info", json!({})).await);
    hub.people().revoke_node("north").await.unwrap();
    let another = json!({ "type": "sys.info", "node": "north" });
    let refused = hub.request(Method::POST, "/api/v1/tasks").json(&another).send().await;
    refused.is_problem(NodeRevoked, Some("/node"));
    hub.people().cancel_task(called_off).await.unwrap();
    assert_eq!(hub.task(called_off).await.summary.status, Status::Cancelled);
    assert_eq!(hub.task(waiting).await.summary.status, Status::Pending);
    assert_eq!(hub.events("task.submitted").await.len(), 2);
}

async fn what_it_held_comes_to_its_end(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    let task = json!({ "type": "sleep", "node": "north", "payload": { "ms": 0 }, "lease": 5_000, "max_retries": 0 });
    let task = hub.request(Method::POST, "/api/v1/tasks").json(&task).send().await.json();
    let held = node.take_one().await;
    assert_eq!(json!(held.id), task["id"]);
    hub.people().revoke_node("north").await.unwrap();
    let refused = node.report(&HandNode::completed(&held, json!({ "slept_ms": 0 }))).await.unwrap_err();
    assert_eq!(refused.problem().unwrap().code, CertificateRevoked);
    let ended = hub.ended(held.id).await.summary;
    assert_eq!((ended.status, ended.code.map(|code| code.0)), (Status::Failed, Some("lease_expired".into())));
}

async fn a_running_agent_says_that_it_was_revoked_and_does_nothing_more(scene: Scene) {
    let hub = scene.hub().start().await;
    let site = hub.site("north").await;
    let mut agent = site.start();
    let people = hub.people();
    until("the agent is heard", async || people.node("north").await.unwrap().heard_at).await;
    let key = std::fs::read(site.data().join("identity/key.pem")).unwrap();
    people.revoke_node("north").await.unwrap();
    let said = until("the agent says so", async || {
        site.log().lines().find(|line| line.contains("does not take this node any more")).map(str::to_owned)
    })
    .await;
    for word in ["ERROR", "certificate_revoked", "--replace", "wait_ms"] {
        assert!(said.contains(word), "`{word}` is not said: {said}");
    }
    assert!(agent.process.ended().is_none(), "it stays, for what it still has to report");
    assert_eq!(std::fs::read(site.data().join("identity/key.pem")).unwrap(), key, "nothing is deleted");
    assert!(agent.stop().await.success());
}

async fn a_node_is_revoked_once_and_only_if_it_is_there(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    let first = hub.people().revoke_node("north").await.unwrap();
    let again = hub.people().revoke_node(&node.id.to_string()).await.unwrap();
    assert_eq!(first.revoked_at, again.revoked_at);
    assert_eq!(hub.events("node.revoked").await.len(), 1);
    let nowhere = hub.request(Method::POST, "/api/v1/nodes/nowhere/revoke").send().await;
    nowhere.is_problem(UnknownNode, None);
}

async fn a_revocation_outlasts_a_restart(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    hub.people().revoke_node("north").await.unwrap();
    let hub = hub.kill().await.start().await;
    let refused = node.try_wait(&node.next_wait(1, 0)).await.unwrap_err();
    assert_eq!(refused.problem().unwrap().code, CertificateRevoked);
    assert!(hub.people().node("north").await.unwrap().revoked_at.is_some());
}
