//! A machine set up anew under its old name: the invite that says so, and what becomes of the node.

use http::Method;
use serde_json::json;
use sortie_rules::tasks::Status;
use sortie_wire::nodes::ChangeNode;
use sortie_wire::problem::ProblemCode::{CertificateRevoked, InviteUsed};
use stories::{Engine, HandNode, RunningHub, Scene, Site, certificate_request, on_both_engines, on_sqlite, until};

use crate::help::{enroll, invite, key, open_wait};

on_both_engines!(the_new_agent_is_the_node_and_the_old_certificate_is_dead);
on_sqlite!(
    tasks_stay_and_what_may_be_repeated_is_done_by_the_new_agent,
    a_machine_set_up_anew_goes_on_under_its_name,
    a_node_that_was_shut_out_comes_back_with_such_an_invite,
    a_new_agent_is_there_when_it_is_heard_itself,
    an_old_invite_does_not_bring_an_old_key_back,
    such_an_invite_for_a_name_that_is_free_makes_a_node,
);

async fn the_new_agent_is_the_node_and_the_old_certificate_is_dead(scene: Scene) {
    let hub = scene.hub().start().await;
    let old = hub.hand_node("north").await;
    let ring = ChangeNode { labels: [("ring".to_owned(), Some("first".to_owned()))].into(), ..ChangeNode::default() };
    hub.people().change_node("north", &ring).await.unwrap();
    let held = open_wait(&hub, &old).await;
    let new = replace(&hub).await;
    held.ends_early().await;
    assert_eq!(new.id, old.id);
    let refused = old.try_wait(&old.next_wait(1, 0)).await.unwrap_err();
    let problem = refused.problem().expect("a problem");
    assert_eq!(problem.code, CertificateRevoked);
    assert!(problem.detail.contains("enrolled anew with another key"), "{problem:?}");
    new.wait(1, 0).await;
    let node = hub.people().node("north").await.unwrap();
    assert_eq!(node.labels["ring"], "first", "what was meant for the node stays");
    let enrolled = hub.events("node.enrolled").await;
    assert_eq!(enrolled.iter().map(|event| &event.data["replaced"]).collect::<Vec<_>>(), [&json!(false), &json!(true)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn who_is_replaced_through_one_hub_is_so_at_another() {
    let scene = Scene::new(Engine::Postgres);
    let hub = scene.hub().start().await;
    let other = hub.plan().beside("other").start().await;
    let mut old = hub.hand_node("north").await;
    old.go_to(&other);
    other.submit("north", "sys.info", json!({})).await;
    old.take_one().await;
    let held = open_wait(&other, &old).await;
    let mut new = replace(&hub).await;
    // Whichever comes first at the other hub, the news or the task: the one that was replaced does not get it.
    let task = other.submit("north", "sys.info", json!({})).await;
    held.ends_early().await;
    new.go_to(&other);
    let taken = until("it is heard there", async || new.wait_if_answered(1, 5).await?.tasks.pop()).await;
    assert_eq!((taken.id, taken.attempt), (task, 1));
    for _ in 0..5 {
        new.wait(1, 0).await;
    }
    assert_eq!(other.people().node("north").await.unwrap().quarantined_at, None);
    assert_eq!(old.try_wait(&old.next_wait(1, 0)).await.unwrap_err().problem().unwrap().code, CertificateRevoked);
}

async fn tasks_stay_and_what_may_be_repeated_is_done_by_the_new_agent(scene: Scene) {
    let hub = scene.hub().start().await;
    let old = hub.hand_node("north").await;
    let nap = json!({ "type": "sleep", "node": "north", "payload": { "ms": 0 }, "lease": 5_000 });
    let nap = hub.request(Method::POST, "/api/v1/tasks").json(&nap).send().await.json();
    let line = hub.submit("north", "file.append", json!({ "path": "/srv/journal", "line": "once" })).await;
    for _ in 0..2 {
        old.take_one().await;
    }
    let waiting = hub.submit("north", "sys.info", json!({})).await;
    let new = replace(&hub).await;
    let cut = hub.task(line).await.summary;
    assert_eq!((cut.status, cut.code.map(|code| code.0)), (Status::Failed, Some("interrupted".into())));
    assert_eq!(new.take_one().await.id, waiting, "what waited is handed out at once");
    let repeated = new.take_one().await;
    assert_eq!(json!(repeated.id), nap["id"], "what the old agent held comes when its lease has lapsed");
    new.report(&HandNode::completed(&repeated, json!({ "slept_ms": 0 }))).await.unwrap();
    assert_eq!(hub.task(repeated.id).await.summary.status, Status::Completed);
}

async fn a_machine_set_up_anew_goes_on_under_its_name(scene: Scene) {
    let hub = scene.hub().start().await;
    let site = hub.site("north").await;
    let agent = site.start();
    hub.ended(hub.submit("north", "sys.info", json!({})).await).await;
    agent.kill().await;
    let waiting = hub.submit("north", "sys.info", json!({})).await;
    std::fs::remove_dir_all(site.data()).unwrap();
    let site = Site::new(&scene, "north");
    site.enroll(&invite(&hub, json!({ "node": "north", "replace": true })).await).well();
    let _agent = site.start();
    assert_eq!(hub.ended(waiting).await.summary.status, Status::Completed);
}

async fn a_node_that_was_shut_out_comes_back_with_such_an_invite(scene: Scene) {
    let hub = scene.hub().start().await;
    let old = hub.hand_node("north").await;
    let waiting = hub.submit("north", "sys.info", json!({})).await;
    hub.people().revoke_node("north").await.unwrap();
    let new = replace(&hub).await;
    let node = hub.people().node("north").await.unwrap();
    assert_eq!((node.id, node.revoked_at), (old.id, None));
    assert_eq!(new.take_one().await.id, waiting);
    assert_eq!(old.try_wait(&old.next_wait(1, 0)).await.unwrap_err().problem().unwrap().code, CertificateRevoked);
}

async fn a_new_agent_is_there_when_it_is_heard_itself(scene: Scene) {
    let hub = scene.hub().start().await;
    let shown = async || {
        let node = hub.people().node("north").await.unwrap();
        (node.presence.as_str(), node.heard_at.is_some())
    };
    for revoked_first in [true, false] {
        let old = replace(&hub).await;
        old.wait(1, 0).await;
        until("the old one is there", async || (shown().await == ("online", true)).then_some(())).await;
        if revoked_first {
            hub.people().revoke_node("north").await.unwrap();
        }
        let new = replace(&hub).await;
        assert_eq!(shown().await, ("new", false), "revoked first: {revoked_first}");
        let online = hub.sortie_json(&["node", "list", "--presence", "online"]);
        assert!(online["items"].as_array().unwrap().is_empty(), "{online}");
        assert!(old.try_wait(&old.next_wait(1, 0)).await.is_err());
        assert_eq!(shown().await, ("new", false), "the old one is not heard any more");
        new.wait(1, 0).await;
        until("the new one is there", async || (shown().await == ("online", true)).then_some(())).await;
    }
}

async fn an_old_invite_does_not_bring_an_old_key_back(scene: Scene) {
    let hub = scene.hub().start().await;
    let (first, old_key) = (hub.invite("north").await, key());
    assert_eq!(enroll(&hub, &first, &certificate_request(&old_key)).await.status, 200);
    let new = replace(&hub).await;
    let before = (hub.people().node("north").await.unwrap(), hub.events("node").await.len());
    let refused = enroll(&hub, &first, &certificate_request(&old_key)).await;
    assert!(refused.is_problem(InviteUsed, None).detail.contains("ask for a new one"), "{refused:?}");
    assert_eq!((hub.people().node("north").await.unwrap(), hub.events("node").await.len()), before);
    new.wait(1, 0).await;
}

async fn such_an_invite_for_a_name_that_is_free_makes_a_node(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = replace(&hub).await;
    node.wait(1, 0).await;
    assert_eq!(hub.events("node.enrolled").await[0].data["replaced"], json!(false));
}

/// Another agent comes under the name.
async fn replace(hub: &RunningHub<'_>) -> HandNode {
    hub.hand_node_with(&invite(hub, json!({ "node": "north", "replace": true })).await).await
}
