//! `sortie invite`: made, listed, withdrawn.

use serde_json::{Value, json};
use stories::{Scene, Site, on_sqlite};

use crate::help::{passed, read};

on_sqlite!(
    an_invite_is_printed_alone_and_lets_in_what_was_described,
    invites_are_listed_with_what_became_of_them,
    an_invite_is_withdrawn_by_its_id,
    an_invite_that_cannot_be_is_refused_with_the_place,
);

async fn an_invite_is_printed_alone_and_lets_in_what_was_described(scene: Scene) {
    let hub = scene.hub().start().await;
    let words = ["invite", "create", "--node", "north", "--site", "homes", "--kind", "guest", "--valid-for", "7d"];
    let made = hub.sortie(&[&words[..], &["--label", "ring=first", "--label", "floor=2"]].concat()).well();
    let invite = made.stdout.strip_suffix('\n').unwrap();
    assert!(invite.starts_with("sortie-invite-1.") && !invite.contains(char::is_whitespace), "{made:?}");
    assert!(made.stderr.contains("sortie agent enroll") && !made.stderr.contains(invite), "{made:?}");
    Site::new(&scene, "north").enroll(&made.stdout).well();
    let node = hub.sortie_json(&["node", "show", "north"]);
    assert_eq!((&node["site"], &node["kind"]), (&json!("homes"), &json!("guest")));
    assert_eq!(node["labels"], json!({ "floor": "2", "ring": "first" }));
    let elsewhere = ["invite", "create", "--node", "south", "--hub", "https://hub.example:8443"];
    let made = hub.sortie_json(&elsewhere);
    let invite = read(made["invite"].as_str().unwrap());
    assert_eq!((invite.hub.as_str(), json!(invite.id)), ("https://hub.example:8443", made["details"]["id"].clone()));
    hub.sortie(&["invite", "create", "--node", "north"]).failed(3, &["/node", "node_exists (409)", "--replace"]);
    hub.sortie(&["invite", "create", "--node", "north", "--replace"]).well();
}

async fn invites_are_listed_with_what_became_of_them(scene: Scene) {
    let hub = scene.hub().start().await;
    assert!(hub.sortie(&["invite", "list"]).well().stderr.contains("There are no invites"));
    let id = |made: &Value| made["details"]["id"].as_str().unwrap().to_owned();
    let create = |node: &str, more: &[&str]| hub.sortie_json(&[&["invite", "create", "--node", node], more].concat());
    let used = create("used", &[]);
    Site::new(&scene, "used").enroll(used["invite"].as_str().unwrap()).well();
    let revoked = create("withdrawn", &[]);
    hub.sortie(&["invite", "revoke", &id(&revoked)]).well();
    let expired = create("late", &["--valid-for", "1ms"]);
    passed(&hub.people(), expired["details"]["expires_at"].as_i64().unwrap()).await;
    let open = create("north", &[]);
    let listed = hub.sortie(&["invite", "list"]).well().stdout;
    for (made, state) in [(&open, "open"), (&expired, "expired"), (&revoked, "revoked"), (&used, "used")] {
        let line = listed.lines().find(|line| line.contains(&id(made))).expect("it is listed");
        let node = made["details"]["node"].as_str().unwrap();
        assert!(line.contains(node) && line.split_whitespace().any(|word| word == state), "{state}: {line}");
        assert!(!listed.contains(&read(made["invite"].as_str().unwrap()).secret));
    }
    let items = hub.sortie_json(&["invite", "list"])["items"].clone();
    let ids: Vec<String> =
        items.as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids, [&open, &expired, &revoked, &used].map(id), "newest first");
}

async fn an_invite_is_withdrawn_by_its_id(scene: Scene) {
    let hub = scene.hub().start().await;
    let made = hub.sortie_json(&["invite", "create", "--node", "north"]);
    let id = made["details"]["id"].as_str().unwrap();
    let told = hub.sortie(&["invite", "revoke", id]).well();
    assert!(told.stdout.is_empty() && told.stderr.contains("for `north` is withdrawn"), "{told:?}");
    assert!(hub.sortie_json(&["invite", "revoke", id])["revoked_at"].is_i64());
    Site::new(&scene, "north").enroll(made["invite"].as_str().unwrap()).failed(3, &["invite_revoked"]);
    hub.sortie(&["invite", "revoke", "01980c5e-7d1a-7c3e-9b7e-0123456789ab"]).failed(3, &["unknown_invite (404)"]);
    hub.sortie(&["invite", "revoke", "north"]).failed(2, &["error"]);
}

async fn an_invite_that_cannot_be_is_refused_with_the_place(scene: Scene) {
    let hub = scene.hub().start().await;
    for (words, code, told) in [
        (&["--node", "North"][..], 3, "/node"),
        (&["--node", "north", "--site", "a b"], 3, "/site"),
        (&["--node", "north", "--valid-for", "31d"], 3, "/valid_for"),
        (&["--node", "north", "--hub", "http://hub"], 3, "/hub"),
        (&["--node", "north", "--label", "ring"], 2, "ring"),
        (&["--node", "north", "--valid-for", "soon"], 2, "soon"),
        (&[], 2, "--node"),
    ] {
        hub.sortie(&[&["invite", "create"], words].concat()).failed(code, &[told]);
    }
    assert!(hub.people().invites().await.unwrap().items.is_empty());
}
