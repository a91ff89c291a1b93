//! What agents refused as a whole, the hub keeps by reason, tells, and shows.

use http::Method;
use serde_json::json;
use sortie_rules::time::Millis;
use sortie_wire::problem::ProblemCode;
use sortie_wire::refusals::{RefusalReport, RefusedDeliveries};
use stories::{HandNode, Scene, on_both_engines, on_sqlite};

on_both_engines!(a_refused_delivery_is_told_once_and_shown_at_its_node);
on_sqlite!(
    many_refusals_make_few_events,
    a_node_that_enrols_anew_counts_from_the_beginning,
    a_report_that_is_none_is_refused_at_its_place,
);

fn refused(code: &str, times: u64) -> RefusedDeliveries {
    let (first_at, last_at) = (Millis(1), Millis(2));
    RefusedDeliveries { code: code.into(), times, number: Some(7), message: "no".into(), first_at, last_at }
}

async fn tell(node: &HandNode, refused: Vec<RefusedDeliveries>) {
    node.line().refusals(node.id, &RefusalReport { refused }).await.expect("a report in order is kept");
}

async fn a_refused_delivery_is_told_once_and_shown_at_its_node(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    for _ in 0..2 {
        tell(&node, vec![refused("bad_signature", 1), refused("expired", 2)]).await;
    }
    let hub = hub.kill().await.start().await;
    tell(&node, vec![refused("bad_signature", 1)]).await;
    let events = hub.events("delivery.refused").await;
    let told: Vec<_> = events.iter().map(|event| (event.node, event.data.clone())).collect();
    let event = |code, times| (Some(node.id), json!({ "code": code, "times": times, "number": 7, "message": "no" }));
    assert_eq!(told, [event("bad_signature", 1), event("expired", 2)]);
    let shown = hub.people().node("north").await.unwrap();
    assert_eq!(shown.refused_deliveries, [refused("bad_signature", 1), refused("expired", 2)]);
    let table = hub.sortie(&["node", "show", "north"]).well().stdout;
    assert!(table.contains("bad_signature 1×") && table.contains("expired 2×"), "{table}");
}

async fn many_refusals_make_few_events(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    for times in 1..=40 {
        tell(&node, vec![refused("bad_signature", times)]).await;
    }
    tell(&node, vec![refused("bad_signature", 3)]).await;
    let told: Vec<_> = hub.events("delivery.refused").await.iter().map(|event| event.data["times"].clone()).collect();
    assert_eq!(told, [1, 2, 4, 8, 16, 32]);
    let shown = hub.people().node("north").await.unwrap();
    assert_eq!(shown.refused_deliveries, [refused("bad_signature", 40)], "an older word changes nothing");
}

async fn a_node_that_enrols_anew_counts_from_the_beginning(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    tell(&node, vec![refused("expired", 9)]).await;
    let replacing = json!({ "node": "north", "replace": true });
    let invite = hub.request(Method::POST, "/api/v1/invites").json(&replacing).send().await.json();
    let anew = hub.hand_node_with(invite["invite"].as_str().expect("an invite")).await;
    assert_eq!(hub.people().node("north").await.unwrap().refused_deliveries, []);
    tell(&anew, vec![refused("expired", 1)]).await;
    assert_eq!(hub.events("delivery.refused").await.len(), 2);
}

async fn a_report_that_is_none_is_refused_at_its_place(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    let many = (0..33).map(|n| refused(&"x".repeat(n + 1), 1)).collect::<Vec<_>>();
    let long = RefusedDeliveries { message: "x".repeat(5000), ..refused("expired", 1) };
    for (place, bad) in [
        ("/refused", many),
        ("/refused/0/code", vec![refused("No Word", 1)]),
        ("/refused/0/code", vec![refused("", 1)]),
        ("/refused/1/code", vec![refused("expired", 1), refused("expired", 2)]),
        ("/refused/0/message", vec![long]),
    ] {
        let answer = node.request(Method::POST, "/refusals").json(&json!({ "refused": bad })).send().await;
        answer.is_problem(ProblemCode::FieldInvalid, Some(place));
    }
    assert!(hub.events("delivery.refused").await.is_empty());
}
