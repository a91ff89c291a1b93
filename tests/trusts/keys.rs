//! Who comes in with a key, and who does not.

use http::Method;
use serde_json::json;
use sortie_wire::problem::ProblemCode::{
    CertificateRevoked, Conflict, NodeExists, NodeMismatch, TrustApiOff, Unauthenticated, UnknownRoute,
};
use stories::{As, Scene, on_both_engines, on_sqlite};

use crate::client::{Trust, hub, nap};

on_both_engines!(a_key_opens_its_own_trust_and_no_other);
on_sqlite!(without_the_switch_there_is_nothing, another_key_voids_the_one_before, a_key_is_nowhere_in_the_clear);

async fn a_key_opens_its_own_trust_and_no_other(scene: Scene) {
    let hub = hub(&scene).await;
    let (north, south) = (Trust::add(&hub, "north").await, Trust::add(&hub, "south").await);
    let foreign = Trust { hub: &hub, name: "south", key: north.key.clone() };
    foreign.pending().await.is_problem(NodeMismatch, None);
    foreign.heartbeat().await.is_problem(NodeMismatch, None);
    assert_eq!(south.pending().await.status, 200);
    let cut = Trust { hub: &hub, name: "north", key: north.key[..north.key.len() - 1].to_owned() };
    cut.pending().await.is_problem(Unauthenticated, None);
    let request = hub.request(Method::GET, "/tasks/north/pending").from(As::Nobody);
    request.clone().send().await.is_problem(Unauthenticated, None);
    let bearer = request.header("authorization", &format!("Bearer {}", north.key)).send().await;
    assert_eq!(bearer.status, 200);
    // What a site calls itself in capitals is the same name.
    assert_eq!(Trust { hub: &hub, name: "NORTH", key: north.key.clone() }.pending().await.status, 200);
    hub.people().revoke_node("north").await.expect("an administrator may revoke");
    north.pending().await.is_problem(CertificateRevoked, None);
    // A token of a person is no key, and a key is no token.
    let token = Trust { hub: &hub, name: "south", key: hub.admin_token() };
    token.pending().await.is_problem(Unauthenticated, None);
    let whoami = hub.request(Method::GET, "/api/v1/whoami").from(As::Token(south.key.clone())).send().await;
    whoami.is_problem(Unauthenticated, None);
}

async fn without_the_switch_there_is_nothing(scene: Scene) {
    let hub = scene.hub().start().await;
    let trust = Trust { hub: &hub, name: "north", key: "sortie_key_x".to_owned() };
    trust.pending().await.is_problem(UnknownRoute, None);
    trust.heartbeat().await.is_problem(UnknownRoute, None);
    let add = hub.request(Method::POST, "/api/v1/nodes").json(&json!({ "name": "north" })).send().await;
    add.is_problem(TrustApiOff, None);
    hub.sortie(&["node", "add", "north"]).failed(3, &["trust_api = true", "sortie invite create"]);
}

async fn another_key_voids_the_one_before(scene: Scene) {
    let hub = hub(&scene).await;
    let key = hub.sortie(&["node", "add", "north", "--site", "trusts", "--label", "ring=first"]).well().stdout;
    let old = Trust { hub: &hub, name: "north", key: key.trim().to_owned() };
    let id = nap(&hub, "north").await;
    assert_eq!(old.taken().await, [id.to_string()]);
    hub.sortie(&["node", "add", "north"]).failed(3, &["sortie node key north"]);
    let add = hub.request(Method::POST, "/api/v1/nodes").json(&json!({ "name": "north" })).send().await;
    add.is_problem(NodeExists, Some("/name"));
    let key = hub.sortie(&["node", "key", "north"]).well().stdout;
    old.pending().await.is_problem(CertificateRevoked, None);
    let new = Trust { hub: &hub, name: "north", key: key.trim().to_owned() };
    assert_eq!(new.report(&id.to_string(), crate::client::done()).await.status, 200, "what it holds is still its own");
    // An agent takes the node's place: the key is void, and a node with an agent gets none.
    let invite = hub.sortie(&["invite", "create", "--node", "north", "--replace"]).well().stdout;
    let _agent = hub.hand_node_with(invite.trim()).await;
    new.pending().await.is_problem(CertificateRevoked, None);
    hub.request(Method::POST, "/api/v1/nodes/north/key").send().await.is_problem(Conflict, None);
}

async fn a_key_is_nowhere_in_the_clear(scene: Scene) {
    let hub = hub(&scene).await;
    let trust = Trust::add(&hub, "north").await;
    let secret = trust.key.split('.').nth(1).expect("a key has a secret").to_owned();
    assert_eq!(trust.pending().await.status, 200);
    let (log, data) = (hub.log(), hub.data());
    assert!(!log.contains(&secret));
    let _hub = hub.stop().await;
    for entry in std::fs::read_dir(data).expect("the data folder is there").flatten() {
        let bytes = std::fs::read(entry.path()).unwrap_or_default();
        let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!found, "{} holds the secret", entry.path().display());
    }
}
