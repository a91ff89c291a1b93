//! The names that nodes may have: who decides on them, and which are taken.

use serde_json::{Value, json};
use sortie_wire::problem::ProblemCode::{FieldInvalid, Forbidden, MalformedBody, NodeExists};
use stories::{Scene, certificate_request, on_both_engines, on_sqlite};

use crate::help::{ask_for_invite, enroll, invite, key, traces};

on_both_engines!(a_name_that_is_taken_is_given_to_nobody_else);
on_sqlite!(
    an_invite_for_something_that_cannot_be_is_refused_with_the_place,
    a_hub_with_a_list_of_names_invites_no_others,
    a_name_that_has_left_the_list_is_not_admitted_any_more,
);

async fn a_name_that_is_taken_is_given_to_nobody_else(scene: Scene) {
    let hub = scene.hub().start().await;
    let (first, second) = (hub.invite("north").await, hub.invite("north").await);
    assert_eq!(enroll(&hub, &first, &certificate_request(&key())).await.status, 200);
    let before = (traces(&hub).await, hub.people().node("north").await.unwrap());
    let third = ask_for_invite(&hub, &json!({ "node": "north" })).await;
    assert!(third.is_problem(NodeExists, Some("/node")).detail.contains("replace"), "{third:?}");
    // This one was made before the name was taken.
    let late = enroll(&hub, &second, &certificate_request(&key())).await;
    assert!(late.is_problem(NodeExists, None).detail.contains("--replace"), "{late:?}");
    hub.people().revoke_node("north").await.unwrap();
    ask_for_invite(&hub, &json!({ "node": "north" })).await.is_problem(NodeExists, Some("/node"));
    let (now, node) = (traces(&hub).await, hub.people().node("north").await.unwrap());
    assert_eq!((now.0, now.1), (before.0.0, before.0.1));
    assert_eq!(node.key_fingerprint, before.1.key_fingerprint);
}

async fn an_invite_for_something_that_cannot_be_is_refused_with_the_place(scene: Scene) {
    let hub = scene.hub().start().await;
    let with = |field: &str, value: Value| {
        let mut fields = json!({ "node": "north" });
        fields[field] = value;
        fields
    };
    let (long, id) = ("n".repeat(64), "01980c5e-7d1a-7c3e-9b7e-0123456789ab");
    for name in ["", "North", "north pole", "-north", "north-", "nörd", "north/pole", "north\n", &long, id] {
        ask_for_invite(&hub, &with("node", json!(name))).await.is_problem(FieldInvalid, Some("/node"));
    }
    for (field, value, code, pointer) in [
        ("site", json!("North Pole"), FieldInvalid, "/site"),
        ("kind", json!(""), FieldInvalid, "/kind"),
        ("labels", json!({ "Ring": "first" }), FieldInvalid, "/labels"),
        ("labels", json!({ "ring": "\u{7}" }), FieldInvalid, "/labels"),
        ("labels", json!({ "ring": 1 }), MalformedBody, "/labels/ring"),
        ("valid_for", json!(0), FieldInvalid, "/valid_for"),
        ("valid_for", json!(-1), FieldInvalid, "/valid_for"),
        ("valid_for", json!(31 * 86_400_000_i64), FieldInvalid, "/valid_for"),
        ("valid_for", json!("1h"), MalformedBody, "/valid_for"),
        ("hub", json!("http://hub.example"), FieldInvalid, "/hub"),
        ("replace", json!("yes"), MalformedBody, "/replace"),
        ("colour", json!("red"), MalformedBody, "/colour"),
    ] {
        ask_for_invite(&hub, &with(field, value)).await.is_problem(code, Some(pointer));
    }
    assert!(hub.people().invites().await.unwrap().items.is_empty() && hub.events("invite").await.is_empty());
    assert!(hub.people().sites().await.unwrap().items.is_empty());
}

async fn a_hub_with_a_list_of_names_invites_no_others(scene: Scene) {
    let hub = scene.hub().setting("node_names", "north,south").start().await;
    let refused = ask_for_invite(&hub, &json!({ "node": "east" })).await;
    assert!(refused.is_problem(FieldInvalid, Some("/node")).detail.contains("node_names"), "{refused:?}");
    let replacing = ask_for_invite(&hub, &json!({ "node": "east", "replace": true })).await;
    replacing.is_problem(FieldInvalid, Some("/node"));
    for name in ["north", "south"] {
        hub.hand_node(name).await;
    }
    assert_eq!(traces(&hub).await, (2, 2, 2));
}

async fn a_name_that_has_left_the_list_is_not_admitted_any_more(scene: Scene) {
    let hub = scene.hub().start().await;
    let (invite, node) = (invite(&hub, json!({ "node": "east" })).await, hub.hand_node("west").await);
    let hub = hub.kill().await.setting("node_names", "north").start().await;
    let refused = enroll(&hub, &invite, &certificate_request(&key())).await;
    assert!(refused.is_problem(Forbidden, None).detail.contains("node_names"), "{refused:?}");
    assert_eq!(traces(&hub).await, (1, 1, 1));
    node.wait(1, 0).await;
}
