//! Invites: one node, once, for a while, from this hub.

use serde_json::{Value, json};
use sortie_wire::problem::ProblemCode::{InviteExpired, InviteRevoked, InviteUsed};
use stories::{Scene, certificate_request, on_both_engines, on_sqlite};

use crate::help::{ask_for_invite, enroll, invite, key, passed, read, traces};

on_both_engines!(
    a_site_comes_in_with_one_line_of_text_and_does_a_first_task,
    a_used_invite_admits_nobody_else,
    an_enrolment_whose_answer_was_lost_is_answered_again,
    of_many_that_come_at_once_with_one_invite_one_is_admitted,
    a_withdrawn_invite_admits_nobody,
);
on_sqlite!(an_expired_invite_admits_nobody, a_node_is_what_its_invite_says);

async fn a_site_comes_in_with_one_line_of_text_and_does_a_first_task(scene: Scene) {
    let hub = scene.hub().start().await;
    let site = hub.site("north").await;
    let _agent = site.start();
    let id = hub.submit("north", "sys.info", json!({})).await;
    let task = hub.ended(id).await;
    assert_eq!(task.summary.status.as_str(), "completed", "{task:?}");
}

async fn a_used_invite_admits_nobody_else(scene: Scene) {
    let hub = scene.hub().start().await;
    let invite = hub.invite("north").await;
    assert_eq!(enroll(&hub, &invite, &certificate_request(&key())).await.status, 200);
    let before = (traces(&hub).await, hub.people().node("north").await.unwrap());
    enroll(&hub, &invite, &certificate_request(&key())).await.is_problem(InviteUsed, None);
    assert_eq!((traces(&hub).await, hub.people().node("north").await.unwrap()), before);
}

async fn an_enrolment_whose_answer_was_lost_is_answered_again(scene: Scene) {
    let hub = scene.hub().start().await;
    let (invite, key) = (hub.invite("north").await, key());
    let first = enroll(&hub, &invite, &certificate_request(&key)).await.json();
    let before = traces(&hub).await;
    assert_eq!(before, (1, 1, 1));
    let again = enroll(&hub, &invite, &certificate_request(&key)).await.json();
    assert_eq!((&again["node"], &again["name"]), (&first["node"], &first["name"]));
    assert_eq!(traces(&hub).await, before, "nothing happened twice");
    // The agent itself, cut before it could note that it is enrolled, comes with the key that it has kept.
    let (site, invite) = (stories::Site::new(&scene, "south"), hub.invite("south").await);
    site.enroll(&invite).well();
    let south = hub.people().node("south").await.unwrap().id;
    std::fs::remove_file(site.data().join("identity/node.json")).unwrap();
    site.enroll(&invite).well();
    assert_eq!(hub.people().node("south").await.unwrap().id, south);
}

/// Once for a new node, once for one that is replaced, once with one key for all.
async fn of_many_that_come_at_once_with_one_invite_one_is_admitted(scene: Scene) {
    let hub = scene.hub().start().await;
    for replace in [false, true] {
        let invite = invite(&hub, json!({ "node": "north", "replace": replace })).await;
        let answers = at_once(&hub, &invite, std::iter::repeat_with(key).take(8)).await;
        let (admitted, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
        assert_eq!(admitted.len(), 1, "{answers:?}");
        refused.iter().for_each(|answer| drop(answer.is_problem(InviteUsed, None)));
    }
    assert_eq!(hub.events("node.enrolled").await.len(), 2);
    let (invite, key) = (hub.invite("south").await, key().serialize_pem());
    let same = std::iter::repeat_with(|| rcgen::KeyPair::from_pem(&key).unwrap()).take(8);
    let answers = at_once(&hub, &invite, same).await;
    let nodes: Vec<Value> = answers.iter().map(|answer| answer.json()["node"].clone()).collect();
    assert!(nodes[0].is_string() && nodes.iter().all(|node| *node == nodes[0]), "{answers:?}");
}

async fn at_once(
    hub: &stories::RunningHub<'_>,
    invite: &str,
    keys: impl Iterator<Item = rcgen::KeyPair>,
) -> Vec<stories::Answer> {
    let enrolments = keys.map(|key| {
        let request = certificate_request(&key);
        async move { enroll(hub, invite, &request).await }
    });
    futures_util::future::join_all(enrolments).await
}

async fn a_withdrawn_invite_admits_nobody(scene: Scene) {
    let hub = scene.hub().start().await;
    let (open, used) = (hub.invite("north").await, hub.invite("south").await);
    let node = key();
    assert_eq!(enroll(&hub, &used, &certificate_request(&node)).await.status, 200);
    for text in [&open, &used] {
        let withdrawn = hub.people().revoke_invite(read(text).id).await.unwrap();
        let again = hub.people().revoke_invite(read(text).id).await.unwrap();
        assert!(withdrawn.revoked_at.is_some() && again == withdrawn);
    }
    assert_eq!(hub.events("invite.revoked").await.len(), 2, "once each");
    let before = traces(&hub).await;
    enroll(&hub, &open, &certificate_request(&key())).await.is_problem(InviteRevoked, None);
    enroll(&hub, &used, &certificate_request(&node)).await.is_problem(InviteRevoked, None);
    assert_eq!(traces(&hub).await, before);
}

async fn an_expired_invite_admits_nobody(scene: Scene) {
    let hub = scene.hub().start().await;
    let made = ask_for_invite(&hub, &json!({ "node": "north", "valid_for": 1 })).await.json();
    passed(&hub.people(), made["details"]["expires_at"].as_i64().unwrap()).await;
    let before = traces(&hub).await;
    let answer = enroll(&hub, made["invite"].as_str().unwrap(), &certificate_request(&key())).await;
    let problem = answer.is_problem(InviteExpired, None);
    assert!(problem.detail.contains("ask for a new one"), "{problem:?}");
    assert_eq!(traces(&hub).await, before);
}

async fn a_node_is_what_its_invite_says(scene: Scene) {
    let hub = scene.hub().start().await;
    let fields = json!({ "node": "north", "site": "homes", "kind": "guest", "labels": { "ring": "first" } });
    let node = hub.hand_node_with(&invite(&hub, fields.clone()).await).await;
    let shown = serde_json::to_value(hub.people().node("north").await.unwrap()).unwrap();
    assert_eq!(shown["id"], json!(node.id));
    for field in ["site", "kind", "labels"] {
        assert_eq!(shown[field], fields[field]);
    }
    let sites = hub.people().sites().await.unwrap().items;
    assert_eq!(sites.iter().map(|site| site.key.as_str()).collect::<Vec<_>>(), ["homes"], "it was made");
}
