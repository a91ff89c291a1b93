//! Held waits: how long they are held, what ends them early, and what they are answered with.

use std::time::{Duration, Instant};

use http::Method;
use serde_json::json;
use sortie_rules::liveness::Presence;
use stories::{As, RunningHub, Scene, on_sqlite, until};

on_sqlite!(
    a_wait_is_held_until_a_task_comes,
    a_wait_for_which_nothing_comes_is_answered_at_its_end_empty_and_signed,
    a_wait_without_room_is_for_news_only,
    a_cancel_ends_a_wait_that_has_no_room,
    a_newer_wait_of_the_same_start_takes_the_place_of_the_older,
    an_answer_is_signed_for_the_node_that_asked,
    a_wait_cannot_be_asked_for_another_node_or_by_a_person,
);

async fn a_wait_is_held_until_a_task_comes(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    let (taken, id) = tokio::join!(node.take_one(), hub.submit("north", "sys.info", json!({})));
    assert_eq!(taken.id, id);
}

async fn a_wait_for_which_nothing_comes_is_answered_at_its_end_empty_and_signed(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    let began = Instant::now();
    // `wait` opens the envelope with the hub's key and looks for whom it is.
    let delivery = node.wait(4, 1).await;
    assert!(began.elapsed() >= Duration::from_secs(1), "it was held for as long as it was asked to be");
    assert!(delivery.tasks.is_empty() && delivery.cancel.is_empty() && !delivery.results_wanted);
    assert_eq!(delivery.number, 0, "nothing was handed out, so no number was used");
    assert!(delivery.issued_at < delivery.expires_at);
}

async fn a_wait_without_room_is_for_news_only(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    let id = hub.submit("north", "sys.info", json!({})).await;
    assert!(node.wait(0, 1).await.tasks.is_empty(), "there was no room for it");
    assert_eq!(hub.task(id).await.summary.status.as_str(), "pending");
    assert_eq!(node.take_one().await.id, id);
}

async fn a_cancel_ends_a_wait_that_has_no_room(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    let id = hub.submit("north", "sleep", json!({ "ms": 60_000 })).await;
    node.take_one().await;
    let people = hub.people();
    let (delivery, cancelled) = tokio::join!(node.wait(0, 50), people.cancel_task(id));
    assert_eq!(delivery.cancel, [id]);
    assert!(cancelled.unwrap().cancel_asked);
}

async fn a_newer_wait_of_the_same_start_takes_the_place_of_the_older(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    let (first, second) = (node.next_wait(4, 50), node.next_wait(4, 50));
    let (older, newer) = (node.try_wait(&first), node.try_wait(&second));
    tokio::pin!(older, newer);
    tokio::select! {
        ended = &mut older => panic!("nothing has come for it: {ended:?}"),
        () = online(&hub, "north") => {}
    }
    let older = tokio::select! {
        older = &mut older => older,
        ended = &mut newer => panic!("nothing has come for it: {ended:?}"),
    };
    // Where the newer was heard first after all, the older is refused as late.
    assert!(older.is_err() || older.is_ok_and(|delivery| delivery.tasks.is_empty()));
    let id = hub.submit("north", "sys.info", json!({})).await;
    assert_eq!(newer.await.unwrap().tasks[0].id, id);
}

async fn online(hub: &RunningHub<'_>, node: &str) {
    let people = hub.people();
    until("the node is heard", async || {
        (people.node(node).await.expect("it has enrolled").presence == Presence::Online).then_some(())
    })
    .await;
}

async fn an_answer_is_signed_for_the_node_that_asked(scene: Scene) {
    let hub = scene.hub().start().await;
    let (north, south) = (hub.hand_node("north").await, hub.hand_node("south").await);
    let envelope = north.line().wait(north.id, &north.next_wait(4, 0)).await.unwrap();
    assert_eq!(north.open(&envelope).unwrap().node, north.id);
    let seen_by_south = south.open(&envelope).expect("the key is the hub's, whoever reads it");
    assert_ne!(seen_by_south.node, south.id, "and names for whom it is");
    let mut forged = envelope.clone();
    forged.payload.replace_range(8..9, if &forged.payload[8..9] == "A" { "B" } else { "A" });
    north.open(&forged).expect_err("one changed byte is one too many");
}

async fn a_wait_cannot_be_asked_for_another_node_or_by_a_person(scene: Scene) {
    let hub = scene.hub().start().await;
    let (north, south) = (hub.hand_node("north").await, hub.hand_node("south").await);
    let query = north.next_wait(4, 0);
    let path = format!("/tasks/wait?room=4&ack=0&wait_s=0&boot={}&seq={}", query.boot, query.seq);
    let for_north = |who| north.request(Method::GET, &path).from(who);
    assert_eq!(for_north(As::Node(south.identity())).send().await.problem().code.as_str(), "node_mismatch");
    assert_eq!(for_north(As::Token(hub.admin_token())).send().await.status, 401);
    assert_eq!(for_north(As::Nobody).send().await.status, 401);
    assert_eq!(for_north(As::Node(north.identity())).send().await.status, 200);
}
