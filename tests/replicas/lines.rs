//! An agent that goes from hub to hub: what was lost at one comes again at another, what was acknowledged at one is
//! known at another, and two agents with one identity are noticed wherever they are.

use std::path::Path;

use serde_json::{Value, json};
use sortie_wire::deliveries::Delivery;
use stories::{Engine, HandNode, RunningHub, Scene, Site, until};

async fn two(scene: &Scene) -> (RunningHub<'_>, RunningHub<'_>) {
    let hub = scene.hub().start().await;
    let other = hub.plan().beside("other").start().await;
    (hub, other)
}

/// Waits until tasks come, and forgets them: the next wait does not acknowledge them.
async fn lost(node: &HandNode) -> Delivery {
    until("something comes", async || {
        let delivery = node.try_wait(&node.next_wait(1, 5)).await.expect("a wait in order is answered");
        (!delivery.tasks.is_empty()).then_some(delivery)
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_was_lost_at_another_hub_comes_again_at_the_first_in_the_same_attempt() {
    let scene = Scene::new(Engine::Postgres);
    let (hub, other) = two(&scene).await;
    let mut node = hub.hand_node("north").await;
    let first = hub.submit("north", "sleep", json!({ "ms": 0 })).await;
    assert_eq!(node.take_one().await.id, first);
    assert!(node.wait(1, 0).await.tasks.is_empty());
    node.go_to(&other);
    let second = other.submit("north", "sleep", json!({ "ms": 0 })).await;
    let delivery = lost(&node).await;
    assert_eq!((delivery.tasks[0].id, delivery.tasks[0].attempt), (second, 1));
    node.go_to(&hub);
    let again = node.wait(1, 0).await;
    assert_eq!(again.tasks.iter().map(|task| (task.id, task.attempt)).collect::<Vec<_>>(), [(second, 1)]);
    assert_eq!(again.number, delivery.number, "it is that delivery");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_was_acknowledged_at_one_hub_is_known_at_another_which_asks_for_no_results_again() {
    let scene = Scene::new(Engine::Postgres);
    let hubs: [RunningHub<'_>; 2] = two(&scene).await.into();
    let mut node = hubs[0].hand_node("north").await;
    for turn in 0..6 {
        let hub = &hubs[turn % 2];
        node.go_to(hub);
        let id = hub.submit("north", "sleep", json!({ "ms": 0 })).await;
        // It comes with the first wait here, and is acknowledged with the next.
        let delivery = node.wait(1, 20).await;
        assert_eq!(delivery.tasks.iter().map(|task| task.id).collect::<Vec<_>>(), [id]);
        assert!(!delivery.results_wanted, "nobody was restored");
        let done = HandNode::completed(&delivery.tasks[0], json!({ "slept_ms": 0 }));
        node.report(&done).await.expect("it is taken");
        let next = node.wait(1, 0).await;
        assert!(next.tasks.is_empty() && !next.results_wanted, "{next:?}");
    }
    assert_eq!(hubs[0].people().node("north").await.expect("it is there").quarantined_at, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_agent_that_stays_at_a_hub_has_arrived_once_and_each_move_and_each_start_is_one_arrival_more() {
    let scene = Scene::new(Engine::Postgres);
    let (hub, other) = two(&scene).await;
    let mut node = hub.hand_node("north").await;
    let kept = || hub.plan().sql("select arrivals || ' by wait ' || seq from node_signs");
    for _ in 0..20 {
        node.wait(1, 0).await;
    }
    assert_eq!(kept(), ["1 by wait 1"], "idle waits write nothing");
    node.go_to(&other);
    for _ in 0..5 {
        node.wait(1, 0).await;
    }
    assert_eq!(kept(), ["2 by wait 21"]);
    node.start_again();
    for _ in 0..5 {
        node.wait(1, 0).await;
    }
    assert_eq!(kept(), ["3 by wait 1"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_hub_that_holds_a_dead_wait_hands_nothing_to_it() {
    let scene = Scene::new(Engine::Postgres);
    let (hub, other) = two(&scene).await;
    let mut node = hub.hand_node("north").await;
    // Its end does not reach the agent, and the hub does not learn that nobody listens.
    let (line, id, query) = (node.line().clone(), node.id, node.next_wait(1, 50));
    let dead = tokio::spawn(async move { line.wait(id, &query).await });
    until("it is held", async || {
        hub.operations("/metrics").await.1.lines().any(|line| line == "sortie_waits_held 1").then_some(())
    })
    .await;
    node.go_to(&other);
    assert!(node.wait(1, 0).await.tasks.is_empty());
    for _ in 0..3 {
        let task = hub.submit("north", "sleep", json!({ "ms": 0 })).await;
        let taken = node.take_one().await;
        assert_eq!((taken.id, taken.attempt), (task, 1));
    }
    let envelope = dead.await.expect("it does not panic").expect("it is answered");
    let ended = node.open(&envelope).expect("the hub has signed it");
    assert!(ended.tasks.is_empty(), "it gave way: {ended:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_copied_data_folder_with_one_agent_at_each_hub_is_noticed() {
    let scene = Scene::new(Engine::Postgres);
    let (hub, other) = two(&scene).await;
    let site = hub.site("north").await;
    let _original = site.start();
    let path = site.files().join("journal");
    let id = hub.submit("north", "file.append", json!({ "path": path, "line": "first" })).await;
    hub.ended(id).await;
    let copy = Site::new(&scene, "copy");
    copy_folder(&site.data(), &copy.data());
    let record = copy.data().join("identity/node.json");
    let mut known: Value = serde_json::from_slice(&std::fs::read(&record).expect("it is there")).expect("it is JSON");
    known["hub"] = json!(other.url());
    std::fs::write(&record, known.to_string()).expect("it can be written");
    let _copy = copy.start();
    until("it is quarantined", async || hub.people().node("north").await.expect("it is there").quarantined_at).await;
    let told = |site: &Site<'_>| site.log().contains("another agent speaks for this node");
    until("both are told", async || (told(&site) && told(&copy)).then_some(())).await;
    assert_eq!(hub.events("node.quarantined").await.len(), 1, "people are told once");
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder can be made");
    for entry in std::fs::read_dir(from).expect("a folder can be read") {
        let entry = entry.expect("an entry can be read");
        let (here, there) = (entry.path(), to.join(entry.file_name()));
        if here.is_dir() {
            copy_folder(&here, &there);
        } else {
            std::fs::copy(&here, &there).expect("a file can be copied");
        }
    }
}
