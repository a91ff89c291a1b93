//! Webhooks: signed so that the reference library believes them, repeated under the same id until they
//! are taken, and never sent where they should not go.

use counterparts::{WebhookReceiver, free_port};
use serde_json::{Value, json};
use stories::{HandNode, Scene, on_both_engines, on_sqlite, until};

use crate::help::{SECRET, WEBHOOK_STEP, complete, give_type, settled, step, with_portal};

on_both_engines!(a_webhook_is_believed_and_repeated_under_the_same_id);
on_sqlite!(
    every_end_of_a_task_is_told_if_the_pack_says_so,
    a_receiver_that_says_never_again_is_believed,
    a_redirect_is_not_followed,
    a_private_address_is_called_only_if_the_settings_list_it,
    a_webhook_without_its_settings_waits_and_says_so,
);

/// Waits for the next call. The receiver comes back with it: it has told of the call before it has
/// answered it, and answers only while it is held.
async fn next_call(mut receiver: WebhookReceiver) -> (Value, WebhookReceiver) {
    let (line, receiver) = tokio::task::spawn_blocking(move || (receiver.next_call(), receiver)).await.unwrap();
    (serde_json::from_str(&line).expect("JSON"), receiver)
}

async fn a_webhook_is_believed_and_repeated_under_the_same_id(scene: Scene) {
    let receiver = WebhookReceiver::start(SECRET, &[500, 204]);
    let plan = with_portal(scene.hub(), &receiver.url()).setting("outgoing.private", "127.0.0.1:*");
    give_type(&plan, WEBHOOK_STEP);
    let hub = plan.start().await;
    let node = hub.hand_node("north").await;
    let id = complete(&hub, &node, json!({ "project": "Lungs" })).await;
    let (first, receiver) = next_call(receiver).await;
    let (second, _receiver) = next_call(receiver).await;
    assert_eq!((&first["verified"], &second["verified"]), (&json!(true), &json!(true)), "{first} {second}");
    assert_eq!((&first["status"], &second["status"]), (&json!(500), &json!(204)));
    assert_eq!((&first["id"], &first["body"]), (&second["id"], &second["body"]));
    let body = &second["body"];
    assert_eq!((&body["type"], &body["data"]["result"]["project"]), (&json!("task.completed"), &json!("Lungs")));
    assert_eq!((&body["data"]["task"]["id"], &body["data"]["task"]["node"]), (&json!(id), &json!("north")));
    let task = settled(&hub, id).await;
    let step = step(&task, "portal", 0);
    assert_eq!((step.status.as_str(), step.tries), ("done", 2), "{step:?}");
}

async fn every_end_of_a_task_is_told_if_the_pack_says_so(scene: Scene) {
    let mut receiver = WebhookReceiver::start(SECRET, &[200]);
    let plan = with_portal(scene.hub(), &receiver.url()).setting("outgoing.private", "127.0.0.1:*");
    give_type(&plan, WEBHOOK_STEP);
    let hub = plan.start().await;
    let node = hub.hand_node("north").await;
    let mut ends = Vec::new();
    // Failed at the site, then called off in the queue, then over its time in the queue.
    hub.submit("north", "trust.create", json!({})).await;
    let held = node.take_one().await;
    node.report(&HandNode::failed(&held, "boom", false)).await.expect("it is taken");
    let waiting = hub.submit("north", "trust.create", json!({})).await;
    hub.people().cancel_task(waiting).await.expect("it waits");
    hub.sortie(&["task", "submit", "trust.create", "--node", "north", "--not-after", "+1s"]).well();
    for _ in 0..3 {
        let (call, back) = next_call(receiver).await;
        receiver = back;
        ends.push(call["body"]["type"].as_str().expect("text").to_owned());
    }
    ends.sort();
    assert_eq!(ends, ["task.cancelled", "task.expired", "task.failed"]);
}

async fn a_receiver_that_says_never_again_is_believed(scene: Scene) {
    let receiver = WebhookReceiver::start(SECRET, &[410]);
    let plan = with_portal(scene.hub(), &receiver.url()).setting("outgoing.private", "127.0.0.1:*");
    give_type(&plan, WEBHOOK_STEP);
    let hub = plan.start().await;
    let node = hub.hand_node("north").await;
    let id = complete(&hub, &node, json!({})).await;
    let task = settled(&hub, id).await;
    assert_eq!(step(&task, "portal", 0).code.as_deref(), Some("webhook_gone"));
}

async fn a_redirect_is_not_followed(scene: Scene) {
    let receiver = WebhookReceiver::start(SECRET, &[302, 200]);
    let plan = with_portal(scene.hub(), &receiver.url()).setting("outgoing.private", "127.0.0.1:*");
    give_type(&plan, WEBHOOK_STEP);
    let hub = plan.start().await;
    let node = hub.hand_node("north").await;
    complete(&hub, &node, json!({})).await;
    let (first, receiver) = next_call(receiver).await;
    let (second, _receiver) = next_call(receiver).await;
    assert_eq!((&first["path"], &second["path"]), (&json!("/hook"), &json!("/hook")));
}

async fn a_private_address_is_called_only_if_the_settings_list_it(scene: Scene) {
    let port = free_port();
    let plan = with_portal(scene.hub(), &format!("http://127.0.0.1:{port}/hook"));
    give_type(&plan, WEBHOOK_STEP);
    let hub = plan.start().await;
    let node = hub.hand_node("north").await;
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.expect("the port is free");
    let id = complete(&hub, &node, json!({})).await;
    until("it is refused", async || {
        let task = hub.task(id).await;
        (step(&task, "portal", 0).code.as_deref() == Some("address_forbidden")).then_some(())
    })
    .await;
    let called = tokio::time::timeout(std::time::Duration::ZERO, listener.accept()).await;
    assert!(called.is_err(), "nobody has called");
}

async fn a_webhook_without_its_settings_waits_and_says_so(scene: Scene) {
    let plan = scene.hub();
    give_type(&plan, WEBHOOK_STEP);
    let hub = plan.start().await;
    let node = hub.hand_node("north").await;
    let id = complete(&hub, &node, json!({})).await;
    let step = until("it is told", async || {
        let task = hub.task(id).await;
        Some(step(&task, "portal", 0).clone()).filter(|step| step.code.is_some())
    })
    .await;
    assert_eq!((step.status.as_str(), step.code.as_deref()), ("pending", Some("webhook_unknown")));
    assert!(step.message.is_some_and(|message| message.contains("[webhooks.portal]")));
    let nowhere = with_portal(scene.hub_named("other"), "ftp://x");
    stories::Ended::of(&mut nowhere.command()).failed(2, &["webhooks.portal.url"]);
}
