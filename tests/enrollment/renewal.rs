//! A node's next certificate: for the key that it has, while it is the node.

use http::Method;
use serde_json::{Value, json};
use sortie_client::Connect;
use sortie_client::agent::HubLine;
use sortie_client::tls::Identity;
use sortie_wire::enrollment::{Facts, Renew, Renewed};
use sortie_wire::problem::ProblemCode::{CertificateRevoked, FieldInvalid, Unauthenticated};
use stories::{As, HandNode, RunningHub, Scene, certificate_request, on_both_engines, on_sqlite, until};

use crate::certificates::Read;
use crate::help::{invite, key};

on_both_engines!(a_node_gets_another_certificate_for_its_key_and_the_former_holds_too);
on_sqlite!(
    another_key_is_not_renewed,
    who_is_not_the_node_any_more_gets_no_other_certificate,
    an_agent_renews_when_half_of_the_life_is_over_and_works_on,
);

async fn a_node_gets_another_certificate_for_its_key_and_the_former_holds_too(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    let facts = Facts { version: "9.9".into(), hostname: "renewed".into(), ..Facts::default() };
    let renewed = renew(&node, &own_key(&node), facts.clone()).await;
    let (former, given) = (Read::first(&node.identity().chain_pem), Read::first(&renewed.certificate.chain));
    assert_ne!(given.serial, former.serial);
    assert!(given.until_s >= former.until_s && given.from_s >= former.from_s);
    let same = |read: &Read| (read.subject.clone(), read.issuer.clone(), read.usages.clone());
    assert_eq!(same(&given), same(&former), "it has the same profile");
    let shown = hub.people().node("north").await.unwrap();
    assert_eq!((shown.certificate_until, shown.facts), (renewed.certificate.not_after, Some(facts)));
    assert_eq!(hub.events("node.renewed").await.len(), 1);
    let next = Identity { chain_pem: renewed.certificate.chain, ..node.identity() };
    for identity in [node.identity(), next] {
        let line = HubLine::open(&Connect { identity: Some(identity), ..hub.connect() }).unwrap();
        assert!(line.wait(node.id, &node.next_wait(1, 0)).await.is_ok());
    }
}

async fn another_key_is_not_renewed(scene: Scene) {
    let hub = scene.hub().start().await;
    let (node, other) = (hub.hand_node("north").await, hub.hand_node("south").await);
    let before = hub.people().node("north").await.unwrap();
    for request in [certificate_request(&key()), own_key(&other), "nonsense".to_owned()] {
        let refused = ask(&hub, As::Node(node.identity()), &request).await;
        refused.is_problem(FieldInvalid, Some("/certificate_request"));
    }
    assert!(hub.events("node.renewed").await.is_empty());
    let after = hub.people().node("north").await.unwrap();
    let kept = |node: &sortie_wire::nodes::Node| (node.key_fingerprint.clone(), node.certificate_until);
    assert_eq!(kept(&after), kept(&before));
}

async fn who_is_not_the_node_any_more_gets_no_other_certificate(scene: Scene) {
    let hub = scene.hub().start().await;
    let (replaced, revoked) = (hub.hand_node("north").await, hub.hand_node("south").await);
    let again = invite(&hub, json!({ "node": "north", "replace": true })).await;
    hub.hand_node_with(&again).await;
    hub.people().revoke_node("south").await.unwrap();
    for node in [&replaced, &revoked] {
        ask(&hub, As::Node(node.identity()), &own_key(node)).await.is_problem(CertificateRevoked, None);
        ask(&hub, As::Nobody, &own_key(node)).await.is_problem(Unauthenticated, None);
    }
    assert!(hub.events("node.renewed").await.is_empty());
}

/// The dates that the agent has noted are set back, as if it had been away for twenty of the thirty days.
async fn an_agent_renews_when_half_of_the_life_is_over_and_works_on(scene: Scene) {
    let hub = scene.hub().start().await;
    let site = hub.site("north").await;
    let file = site.data().join("identity/node.json");
    let mut noted: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    for date in ["certificate_from", "certificate_until"] {
        noted[date] = json!(noted[date].as_i64().unwrap() - 20 * 86_400_000);
    }
    std::fs::write(&file, noted.to_string()).unwrap();
    let certificate = || Read::first(&std::fs::read_to_string(site.data().join("identity/certificate.pem")).unwrap());
    let (former, _agent) = (certificate(), site.start());
    until("it has renewed", async || (hub.events("node.renewed").await.len() == 1).then_some(())).await;
    until("it has kept what it got", async || (certificate().serial != former.serial).then_some(())).await;
    let id = hub.submit("north", "sys.info", json!({})).await;
    assert_eq!(hub.ended(id).await.summary.status.as_str(), "completed");
    until("its note is right again", async || {
        let noted: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        let until_s = noted["certificate_until"].as_i64().unwrap() / 1000;
        (until_s == certificate().until_s).then_some(())
    })
    .await;
    assert_eq!(hub.events("node.renewed").await.len(), 1, "once");
}

/// A certificate request for the node's own key.
fn own_key(node: &HandNode) -> String {
    certificate_request(&rcgen::KeyPair::from_pem(&node.identity().key_pem).expect("it is its key"))
}

async fn renew(node: &HandNode, request: &str, facts: Facts) -> Renewed {
    let request = Renew { certificate_request: request.to_owned(), facts };
    node.line().renew(&request, false).await.expect("a node may renew")
}

async fn ask(hub: &RunningHub<'_>, who: As, request: &str) -> stories::Answer {
    let facts = json!({ "version": "", "os": "", "arch": "", "hostname": "" });
    let body = json!({ "certificate_request": request, "facts": facts });
    hub.request(Method::POST, "/agent/v1/renew").from(who).json(&body).send().await
}
