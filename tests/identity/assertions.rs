//! Assertions: each counts once, for one request, of one node, at one hub, for a short time.

use http::Method;
use serde_json::{Value, json};
use sortie_rules::proofs::Proof;
use sortie_wire::assertions::{Claims, body_hash};
use sortie_wire::problem::ProblemCode::{
    AssertionInvalid, AssertionReplayed, AssertionUntimely, CertificateRevoked, NodeMismatch, NodeUnknown, RateLimited,
};
use stories::{As, Engine, HandNode, RunningHub, Scene, certificate_request, on_both_engines, on_sqlite, until};

use crate::by_hand::{ByHand, is_signed, send, wait_path};

on_both_engines!(
    an_assertion_counts_once_also_after_a_restart,
    the_proof_that_a_node_chose_is_shown_and_changes_are_told
);
on_sqlite!(
    every_route_of_an_agent_takes_either_proof,
    an_assertion_for_anything_else_is_refused,
    what_no_key_of_the_node_has_signed_is_refused,
    what_is_answered_to_one_node_is_no_answer_to_another,
    a_revoked_node_s_assertions_are_worth_nothing_at_once,
    a_flood_of_forged_assertions_does_not_shut_out_the_nodes_behind_the_same_proxy,
    a_node_that_sends_too_much_is_slowed_down_alone,
);

async fn every_route_of_an_agent_takes_either_proof(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    let hand = ByHand::admitted(&hub, &node).await;
    let id = hub.submit("north", "sleep", json!({ "ms": 0 })).await;
    let held = node.take_one().await;
    let of_node = |path: &str| format!("/agent/v1/nodes/{}{path}", node.id);
    let result = serde_json::to_value(HandNode::completed(&held, json!({ "slept_ms": 0 }))).unwrap();
    let key = rcgen::KeyPair::from_pem(&node.identity().key_pem).unwrap();
    let facts = json!({ "version": "", "os": "", "arch": "", "hostname": "" });
    let boot = uuid::Uuid::now_v7();
    for (path, body) in [
        (of_node("/heartbeat"), json!({ "boot": boot, "held": [] })),
        (of_node("/logs"), json!({ "pieces": [] })),
        (of_node("/observed"), json!({ "generation": 0, "conditions": [] })),
        (of_node("/reports"), json!({ "kind": "facts", "taken_at": 1, "source": "agent", "facts": {} })),
        (of_node("/refusals"), json!({ "refused": [] })),
        (of_node("/events"), json!({ "outbox": boot, "events": [] })),
        (of_node(&format!("/tasks/{}/result", held.id)), result.clone()),
        (of_node("/results"), json!({ "results": [result] })),
        ("/agent/v1/renew".to_owned(), json!({ "certificate_request": certificate_request(&key), "facts": facts })),
    ] {
        let answer = hand.ask(&hub, Method::POST, &path, &body.to_string()).await;
        assert!(answer.status < 300, "{path}: {answer:?}");
    }
    let desired = format!("/desired?after=0&seal_to={}CQk", "CQkJ".repeat(10));
    for path in [wait_path(&node), of_node("/operators?after=0"), of_node(&desired)] {
        let answer = hand.ask(&hub, Method::GET, &path, "").await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
    }
    assert_eq!(hub.ended(id).await.summary.status.as_str(), "completed");
    let listed = include_str!("../../openapi/access.txt").lines().filter(|line| line.starts_with("node ")).count();
    assert_eq!(listed, 12, "a route was added: ask it here, too");
}

async fn an_assertion_counts_once_also_after_a_restart(scene: Scene) {
    let is_shared = scene.postgres().is_some();
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    let hand = ByHand::admitted(&hub, &node).await;
    let path = wait_path(&node);
    let claims = hand.claims(&Method::GET, &path, "");
    assert_eq!(send(&hub, &hand.assert(&claims), Method::GET, &path, "").await.status, 200);
    let text = hand.assert(&claims);
    let again = send(&hub, &text, Method::GET, &path, "").await;
    again.is_problem(AssertionReplayed, None);
    assert!(is_signed(&hub, &text, &again).await, "it is the hub that says so");
    if is_shared {
        let second = hub.plan().beside("second").start().await;
        send(&second, &text, Method::GET, &path, "").await.is_problem(AssertionReplayed, None);
    }
    let hub = hub.kill().await.start().await;
    let after = send(&hub, &text, Method::GET, &path, "").await;
    after.is_problem(if is_shared { AssertionReplayed } else { AssertionUntimely }, None);
    // A hub alone cannot tell what was used before it began, and believes nothing from then; others do.
    ByHand::admitted(&hub, &node).await;
}

async fn an_assertion_for_anything_else_is_refused(scene: Scene) {
    let hub = scene.hub().start().await;
    let (node, other) = (hub.hand_node("north").await, hub.hand_node("south").await);
    let hand = ByHand::admitted(&hub, &node).await;
    let path = format!("/agent/v1/nodes/{}/heartbeat", node.id);
    let body = json!({ "boot": uuid::Uuid::now_v7(), "held": [] }).to_string();
    let change = |change: fn(&mut Claims)| {
        let mut claims = hand.claims(&Method::POST, &path, &body);
        change(&mut claims);
        claims
    };
    for (what, claims, code) in [
        ("another hub", change(|claims| claims.aud = "0".repeat(32)), AssertionInvalid),
        ("another method", change(|claims| claims.method = "PUT".to_owned()), AssertionInvalid),
        ("another path", change(|claims| claims.target.push('s')), AssertionInvalid),
        ("a query", change(|claims| claims.target.push_str("?x=1")), AssertionInvalid),
        ("another body", change(|claims| claims.body = body_hash(b"{}")), AssertionInvalid),
        ("no body", change(|claims| claims.body = body_hash(b"")), AssertionInvalid),
        ("a short id", change(|claims| claims.jti = "0123456789".to_owned()), AssertionInvalid),
        ("a long id", change(|claims| claims.jti = "x".repeat(65)), AssertionInvalid),
        ("too long", change(|claims| claims.exp = claims.iat + 301), AssertionInvalid),
        (
            "the future",
            change(|claims| (claims.iat, claims.exp) = (claims.iat + 60, claims.exp + 60)),
            AssertionUntimely,
        ),
        ("the past", change(|claims| (claims.iat, claims.exp) = (claims.iat - 200, claims.iat - 1)), AssertionUntimely),
        (
            "a node that is not",
            change(|claims| claims.sub = sortie_rules::ids::Id::from_uuid(uuid::Uuid::nil())),
            NodeUnknown,
        ),
    ] {
        let assertion = hand.assert(&claims);
        let answer = send(&hub, &assertion, Method::POST, &path, &body).await;
        let problem = answer.problem();
        assert_eq!(problem.code, code, "{what}: {problem:?}");
        assert!(is_signed(&hub, &assertion, &answer).await, "{what}: its bearer shall know that it is true");
    }
    let of_other = format!("/agent/v1/nodes/{}/heartbeat", other.id);
    hand.ask(&hub, Method::POST, &of_other, &body).await.is_problem(NodeMismatch, None);
    assert_eq!(hand.ask(&hub, Method::POST, &path, &body).await.status, 200, "a good one is taken");
}

/// Who holds an assertion back and asks with a key of its own, by the same id, gets no answer that could be passed on.
async fn what_is_answered_to_one_node_is_no_answer_to_another(scene: Scene) {
    let hub = scene.hub().start().await;
    let (node, other) = (hub.hand_node("north").await, hub.hand_node("south").await);
    let hand = ByHand::admitted(&hub, &node).await;
    let body = json!({ "boot": uuid::Uuid::now_v7(), "held": [] }).to_string();
    let beat = |of: &HandNode| format!("/agent/v1/nodes/{}/heartbeat", of.id);
    let claims = hand.claims(&Method::POST, &beat(&node), &body);
    let held_back = hand.assert(&claims);
    let own = ByHand::of(&other);
    for (sub, path) in [(other.id, beat(&other)), (node.id, beat(&node))] {
        let asked = own.assert(&Claims { sub, target: path.clone(), ..claims.clone() });
        let answer = send(&hub, &asked, Method::POST, &path, &body).await;
        assert!(is_signed(&hub, &asked, &answer).await, "it is the hub's answer to that: {answer:?}");
        assert!(!is_signed(&hub, &held_back, &answer).await, "and to nothing else: {answer:?}");
    }
    assert_eq!(send(&hub, &held_back, Method::POST, &beat(&node), &body).await.status, 200, "it was not used");
}

async fn what_no_key_of_the_node_has_signed_is_refused(scene: Scene) {
    let hub = scene.hub().start().await;
    let (node, other) = (hub.hand_node("north").await, hub.hand_node("south").await);
    let path = wait_path(&node);
    // South signs as if it were north.
    let as_north = ByHand::with_key(node.id, &node.hub_id, &other.identity());
    let fresh = |hand: &ByHand| {
        let claims = hand.claims(&Method::GET, &path, "");
        hand.assert(&claims)
    };
    until("the hub has begun a while ago", async || {
        let answer = send(&hub, &fresh(&as_north), Method::GET, &path, "").await;
        (answer.problem().code == CertificateRevoked).then_some(())
    })
    .await;
    let good = fresh(&ByHand::of(&node));
    let token = good.strip_prefix("Assertion ").unwrap();
    let parts: Vec<&str> = token.split('.').collect();
    let header = |change: fn(&mut Value)| {
        let mut header: Value = serde_json::from_slice(&decode(parts[0])).unwrap();
        change(&mut header);
        encode(&header)
    };
    let none = header(|header| header["alg"] = json!("none"));
    let symmetric = header(|header| header["alg"] = json!("HS256"));
    for bad in [
        format!("{none}.{}.", parts[1]),
        format!("{none}.{}.{}", parts[1], parts[2]),
        format!("{symmetric}.{}.{}", parts[1], parts[2]),
        format!("{}.{}.", parts[0], parts[1]),
        format!("{}.{}", parts[0], parts[1]),
        parts[1].to_owned(),
        "x".repeat(5000),
    ] {
        let answer = send(&hub, &format!("Assertion {bad}"), Method::GET, &path, "").await;
        let shown: String = bad.chars().take(60).collect();
        assert_eq!(answer.problem().code, AssertionInvalid, "{shown}");
        assert!(answer.headers.get("sortie-signature").is_none(), "strangers get no signature: {shown}");
    }
    let certificate = As::Node(node.identity());
    let both = hub.request(Method::GET, &path).from(certificate).header("authorization", "Assertion x");
    both.send().await.is_problem(AssertionInvalid, None);
    assert_eq!(send(&hub, &good, Method::GET, &path, "").await.status, 200, "none of that has used it");
}

async fn a_revoked_node_s_assertions_are_worth_nothing_at_once(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    let hand = ByHand::admitted(&hub, &node).await;
    let held = wait_path(&node).replace("wait_s=0", "wait_s=50");
    let (answer, ()) = tokio::join!(hand.ask(&hub, Method::GET, &held, ""), async {
        until("the wait is held", async || is_held(&hub).await.then_some(())).await;
        hub.people().revoke_node("north").await.unwrap();
    });
    assert_eq!(answer.status, 200, "it ends, with nothing in it: {answer:?}");
    hand.ask(&hub, Method::GET, &wait_path(&node), "").await.is_problem(CertificateRevoked, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_node_revoked_at_one_hub_is_refused_with_its_assertions_by_another() {
    let scene = Scene::new(Engine::Postgres);
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    let other = hub.plan().beside("other").start().await;
    let hand = ByHand::admitted(&other, &node).await;
    hub.people().revoke_node("north").await.expect("an administrator may");
    until("the other hub refuses it", async || {
        let answer = hand.ask(&other, Method::GET, &wait_path(&node), "").await;
        (answer.status != 200).then(|| answer.is_problem(CertificateRevoked, None))
    })
    .await;
}

/// A node is heard anew at each look as long as its wait is held.
async fn is_held(hub: &RunningHub<'_>) -> bool {
    let heard = async || hub.people().node("north").await.unwrap().heard_at;
    let first = heard().await;
    heard().await > first
}

async fn the_proof_that_a_node_chose_is_shown_and_changes_are_told(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    assert_eq!(hub.people().node("north").await.unwrap().proof, None);
    node.wait(1, 0).await;
    let shown = async |proof| {
        until("the proof is shown", async || {
            (hub.people().node("north").await.unwrap().proof == Some(proof)).then_some(())
        })
        .await;
    };
    shown(Proof::Certificate).await;
    assert!(hub.events("node.proof_changed").await.is_empty());
    // What was written down stands a while; a restart forgets how long it has stood.
    let hub = hub.kill().await.start().await;
    ByHand::admitted(&hub, &node).await;
    until("the proof is shown", async || {
        (hub.people().node("north").await.unwrap().proof == Some(Proof::Assertion)).then_some(())
    })
    .await;
    let events = hub.events("node.proof_changed").await;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].data, json!({ "proof": "assertion", "before": "certificate" }));
}

/// All come from one address, as behind a proxy.
async fn a_flood_of_forged_assertions_does_not_shut_out_the_nodes_behind_the_same_proxy(scene: Scene) {
    let plan = scene.hub().setting("limits.requests_per_address", 1).setting("limits.requests_per_address_burst", 20);
    let hub = plan.start().await;
    let (node, other) = (hub.hand_node("north").await, hub.hand_node("south").await);
    let hand = ByHand::of(&node);
    until("it is let in", async || {
        let path = wait_path(&node);
        let text = hand.assert(&hand.claims(&Method::GET, &path, ""));
        (send(&hub, &text, Method::GET, &path, "").await.status == 200).then_some(())
    })
    .await;
    let stranger = ByHand::with_key(node.id, &node.hub_id, &other.identity());
    until("the flood is not looked at any more", async || {
        let path = wait_path(&node);
        let text = stranger.assert(&stranger.claims(&Method::GET, &path, ""));
        (send(&hub, &text, Method::GET, &path, "").await.problem().code == RateLimited).then_some(())
    })
    .await;
    let path = wait_path(&node);
    let text = hand.assert(&hand.claims(&Method::GET, &path, ""));
    assert_eq!(send(&hub, &text, Method::GET, &path, "").await.status, 200);
}

async fn a_node_that_sends_too_much_is_slowed_down_alone(scene: Scene) {
    let plan = scene.hub().setting("limits.requests_per_principal", 1);
    let hub = plan.setting("limits.requests_per_principal_burst", 5).start().await;
    let (node, other) = (hub.hand_node("north").await, hub.hand_node("south").await);
    let ask = async |node: &HandNode| {
        let (hand, path) = (ByHand::of(node), wait_path(node));
        let claims = hand.claims(&Method::GET, &path, "");
        send(&hub, &hand.assert(&claims), Method::GET, &path, "").await
    };
    until("one is slowed down", async || {
        let answer = ask(&node).await;
        (answer.status == 429).then(|| answer.is_problem(RateLimited, None))
    })
    .await;
    assert_eq!(ask(&other).await.status, 200);
}

fn decode(part: &str) -> Vec<u8> {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part).unwrap()
}

fn encode(value: &Value) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(value.to_string())
}
