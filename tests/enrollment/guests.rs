//! Guests beside their host: a node each, with a key each, of which one says where it lives. That says where a machine
//! is, and lets nobody act for another.

use http::Method;
use serde_json::{Value, json};
use sortie_wire::problem::ProblemCode::{FieldInvalid, Forbidden, NodeMismatch};
use stories::{As, Scene, certificate_request, on_both_engines, on_sqlite};

use crate::help::{ask_for_invite, enroll, invite, key};

on_both_engines!(a_guest_says_where_it_lives_and_the_host_who_lives_there);
on_sqlite!(
    nobody_lives_on_itself_on_a_guest_or_nowhere,
    guests_stay_as_they_are_when_their_host_is_revoked,
    a_host_s_certificate_opens_no_route_of_its_guest,
    what_was_true_when_the_invite_was_made_is_looked_at_again,
    an_invite_that_gives_a_guest_another_key_leaves_it_where_it_is,
);

const LIST: &str = include_str!("../../openapi/access.txt");

async fn a_guest_says_where_it_lives_and_the_host_who_lives_there(scene: Scene) {
    let hub = scene.hub().start().await;
    let host = hub.hand_node("box-7").await;
    let line = hub.sortie(&["invite", "create", "--node", "cloud", "--host", "box-7"]).well().stdout;
    let guest = hub.hand_node_with(line.trim()).await;
    let by_id = json!({ "node": "mail", "host": host.id, "kind": "vm" });
    hub.hand_node_with(&invite(&hub, by_id).await).await;
    hub.hand_node("box-8").await;
    let shown = hub.sortie_json(&["node", "show", "cloud"]);
    assert_eq!((&shown["host"], &shown["kind"], shown.get("guests")), (&json!("box-7"), &json!("guest"), None));
    assert_eq!(hub.sortie_json(&["node", "show", "box-7"])["guests"], json!(["cloud", "mail"]));
    assert!(hub.sortie(&["node", "show", "box-7"]).well().stdout.contains("cloud mail"));
    assert!(hub.sortie(&["node", "show", "cloud"]).well().stdout.contains("guest on box-7"));
    assert_eq!(names(&hub.sortie_json(&["node", "list", "--host", "box-7"])), ["cloud", "mail"]);
    assert_eq!(names(&hub.sortie_json(&["node", "list", "--host", "box-8"])), [""; 0]);
    assert!(hub.sortie(&["node", "list"]).well().stdout.contains("vm on box-7"));
    hub.sortie(&["node", "list", "--host", "nowhere"]).failed(3, &["unknown_node (404)"]);
    let invites = hub.sortie_json(&["invite", "list"]);
    assert!(invites["items"].as_array().unwrap().iter().any(|invite| invite["host"] == "box-7"), "{invites}");
    // It moves, and back to none; what else is meant for it stays.
    let moved = hub.sortie_json(&["node", "set", "cloud", "--host", "box-8"]);
    assert_eq!((&moved["host"], &moved["kind"]), (&json!("box-8"), &json!("guest")));
    assert_eq!(hub.sortie_json(&["node", "show", "box-7"])["guests"], json!(["mail"]));
    assert_eq!(hub.sortie_json(&["node", "set", "cloud", "--label", "ring=1"])["host"], "box-8");
    assert_eq!(hub.sortie_json(&["node", "set", "cloud", "--host", ""]).get("host"), None);
    // The desired state of a guest is its own.
    guest.wait(1, 0).await;
}

async fn nobody_lives_on_itself_on_a_guest_or_nowhere(scene: Scene) {
    let hub = scene.hub().start().await;
    hub.hand_node("box").await;
    hub.hand_node("other").await;
    hub.hand_node_with(&invite(&hub, json!({ "node": "guest", "host": "box" })).await).await;
    let before = hub.events("").await.len();
    for (fields, why) in [
        (json!({ "node": "new", "host": "nowhere" }), "no node `nowhere`"),
        (json!({ "node": "new", "host": "" }), "no node ``"),
        (json!({ "node": "new", "host": "new" }), "no node `new`"),
        (json!({ "node": "new", "host": "guest" }), "is a guest itself"),
        (json!({ "node": "box", "host": "box", "replace": true }), "cannot live on itself"),
        (json!({ "node": "box", "host": "other", "replace": true }), "has guests of its own"),
    ] {
        let problem = ask_for_invite(&hub, &fields).await.is_problem(FieldInvalid, Some("/host"));
        assert!(problem.detail.contains(why), "{fields}: {problem:?}");
    }
    for (node, host, why) in [
        ("other", "guest", "is a guest itself"),
        ("box", "guest", "is a guest itself"),
        ("box", "other", "has guests of its own"),
        ("other", "other", "cannot live on itself"),
        ("other", "nowhere", "no node `nowhere`"),
    ] {
        hub.sortie(&["node", "set", node, "--host", host]).failed(3, &[why, "/host", "field_invalid (422)"]);
    }
    assert_eq!(hub.events("").await.len(), before, "and nothing was changed");
    // A node of another org is no node here.
    let theirs = As::Token(hub.sortie(&["org", "create", "elsewhere"]).well().stdout.trim().to_owned());
    let request = hub.request(Method::POST, "/api/v1/invites").from(theirs);
    let answer = request.json(&json!({ "node": "new", "host": "box" })).send().await;
    assert!(answer.is_problem(FieldInvalid, Some("/host")).detail.contains("no node `box`"));
}

async fn guests_stay_as_they_are_when_their_host_is_revoked(scene: Scene) {
    let hub = scene.hub().start().await;
    hub.hand_node("box").await;
    let guest = hub.hand_node_with(&invite(&hub, json!({ "node": "guest", "host": "box" })).await).await;
    hub.people().revoke_node("box").await.unwrap();
    guest.wait(1, 0).await;
    let shown = hub.sortie_json(&["node", "show", "guest"]);
    assert_eq!((&shown["host"], &shown["host_revoked"]), (&json!("box"), &json!(true)));
    assert!(hub.sortie(&["node", "show", "guest"]).well().stdout.contains("guest on box (revoked)"));
    assert_eq!(hub.sortie_json(&["node", "show", "box"])["guests"], json!(["guest"]));
    // Nobody moves there, and the guest can leave.
    let refused = ask_for_invite(&hub, &json!({ "node": "late", "host": "box" })).await;
    assert!(refused.is_problem(FieldInvalid, Some("/host")).detail.contains("was revoked"));
    hub.hand_node_with(&invite(&hub, json!({ "node": "box", "replace": true })).await).await;
    assert_eq!(hub.sortie_json(&["node", "show", "guest"]).get("host_revoked"), None, "it was let in again");
    assert_eq!(hub.sortie_json(&["node", "set", "guest", "--host", ""]).get("host"), None);
}

async fn a_host_s_certificate_opens_no_route_of_its_guest(scene: Scene) {
    let hub = scene.hub().start().await;
    let host = hub.hand_node("box").await;
    let guest = hub.hand_node_with(&invite(&hub, json!({ "node": "guest", "host": "box" })).await).await;
    let task = hub.submit("guest", "sys.info", json!({})).await.to_string();
    let before = hub.events("").await.len();
    let mut walked = 0;
    for line in LIST.lines() {
        let [need, method, path, ..] = line.split_whitespace().collect::<Vec<_>>()[..] else { panic!("{line}") };
        if need != "node" || !path.contains("{node_id}") {
            continue;
        }
        for (caller, named) in [(&host, &guest), (&guest, &host)] {
            let path = path.replace("{node_id}", &named.id.to_string()).replace("{task_id}", &task);
            let request = hub.request(method.parse::<Method>().unwrap(), &path).from(As::Node(caller.identity()));
            request.json(&json!({})).send().await.is_problem(NodeMismatch, None);
            walked += 1;
        }
    }
    assert!(walked >= 20, "the list is there");
    assert_eq!(hub.events("").await.len(), before, "and nothing came of it");
    assert_eq!(guest.take_one().await.id.to_string(), task);
}

async fn what_was_true_when_the_invite_was_made_is_looked_at_again(scene: Scene) {
    let hub = scene.hub().start().await;
    for name in ["box", "other"] {
        hub.hand_node(name).await;
    }
    let late = invite(&hub, json!({ "node": "guest", "host": "box" })).await;
    hub.sortie(&["node", "set", "box", "--host", "other"]).well();
    let refused = enroll(&hub, &late, &certificate_request(&key())).await.is_problem(Forbidden, None);
    assert!(refused.detail.contains("is a guest itself"), "{refused:?}");
    hub.sortie(&["node", "set", "box", "--host", ""]).well();
    hub.hand_node_with(&late).await;
    assert_eq!(hub.sortie_json(&["node", "show", "guest"])["host"], "box");
}

async fn an_invite_that_gives_a_guest_another_key_leaves_it_where_it_is(scene: Scene) {
    let hub = scene.hub().start().await;
    for name in ["box", "other"] {
        hub.hand_node(name).await;
    }
    hub.hand_node_with(&invite(&hub, json!({ "node": "guest", "host": "box" })).await).await;
    let elsewhere = ask_for_invite(&hub, &json!({ "node": "guest", "host": "other", "replace": true })).await;
    assert!(elsewhere.is_problem(FieldInvalid, Some("/host")).detail.contains("sortie node set guest --host other"));
    for fields in
        [json!({ "node": "guest", "replace": true }), json!({ "node": "guest", "host": "box", "replace": true })]
    {
        hub.hand_node_with(&invite(&hub, fields).await).await;
        assert_eq!(hub.sortie_json(&["node", "show", "guest"])["host"], "box");
    }
}

fn names(page: &Value) -> Vec<&str> {
    page["items"].as_array().unwrap().iter().map(|node| node["name"].as_str().unwrap()).collect()
}
