//! Who a caller is follows from the certificate or the token, and from nothing else in the request.

use http::Method;
use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256,
};
use serde_json::json;
use sortie_client::tls::Identity;
use sortie_rules::tasks::Status;
use sortie_wire::problem::ProblemCode::{CertificateRevoked, NodeMismatch, NodeUnknown, NotYourTask, Unauthenticated};
use sortie_wire::results::ResultBatch;
use stories::{As, HandNode, Scene, on_both_engines, on_sqlite};

use crate::help::key;

on_both_engines!(a_node_ends_no_task_of_another);
on_sqlite!(
    a_certificate_counts_for_its_own_node_alone,
    a_certificate_is_no_token_and_a_token_no_certificate,
    a_certificate_of_another_authority_opens_nothing,
    a_certificate_of_the_authority_must_have_the_profile_the_dates_and_the_key_of_a_node,
);

async fn a_node_ends_no_task_of_another(scene: Scene) {
    let hub = scene.hub().start().await;
    let (north, south) = (hub.hand_node("north").await, hub.hand_node("south").await);
    let id = hub.submit("north", "sleep", json!({ "ms": 0 })).await;
    let held = north.take_one().await;
    let stolen = HandNode::completed(&held, json!({ "slept_ms": 0 }));
    assert_eq!(south.report(&stolen).await.unwrap_err().problem().unwrap().code, NotYourTask);
    let batch = ResultBatch { results: vec![stolen] };
    let receipts = south.line().results(south.id, &batch).await.unwrap().receipts;
    assert!(receipts[0].refused.as_ref().is_some_and(|refused| refused.code == NotYourTask), "{receipts:?}");
    assert_eq!(south.heartbeat(&[&held]).await.unwrap().not_held, [held.id]);
    assert_eq!(hub.task(id).await.summary.status, Status::InProgress);
    assert!(north.heartbeat(&[&held]).await.unwrap().not_held.is_empty());
}

async fn a_certificate_counts_for_its_own_node_alone(scene: Scene) {
    let hub = scene.hub().start().await;
    let (north, south) = (hub.hand_node("north").await, hub.hand_node("south").await);
    for (method, path) in [
        (Method::GET, format!("/tasks/wait?room=1&ack=0&wait_s=0&boot={}&seq=1", uuid::Uuid::now_v7())),
        (Method::POST, "/heartbeat".to_owned()),
        (Method::POST, "/results".to_owned()),
        (Method::POST, "/tasks/01980c5e-7d1a-7c3e-9b7e-0123456789ab/result".to_owned()),
    ] {
        let request = north.request(method, &path).json(&json!({}));
        request.clone().from(As::Node(south.identity())).send().await.is_problem(NodeMismatch, None);
        request.from(As::Nobody).send().await.is_problem(Unauthenticated, None);
    }
    assert!(hub.people().node("north").await.unwrap().heard_at.is_none(), "nothing of it was a sign of life");
    for written in [north.id.to_string().to_uppercase(), "north".to_owned(), format!("%6e{}", south.id)] {
        let path = format!("/agent/v1/nodes/{written}/heartbeat");
        let answer = hub.request(Method::POST, &path).from(As::Node(south.identity())).send().await;
        answer.is_problem(NodeMismatch, None);
    }
}

async fn a_certificate_is_no_token_and_a_token_no_certificate(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    for path in ["/api/v1/whoami", "/api/v1/nodes", "/api/v1/tasks"] {
        let with_certificate = hub.request(Method::GET, path).from(As::Node(node.identity()));
        with_certificate.send().await.is_problem(Unauthenticated, None);
    }
    let with_token = node.request(Method::POST, "/heartbeat").from(As::Token(hub.admin_token()));
    with_token.send().await.is_problem(Unauthenticated, None);
    // With both, each route takes its own.
    let bearer = format!("Bearer {}", hub.admin_token());
    let both = hub.request(Method::GET, "/api/v1/whoami").from(As::Node(node.identity()));
    assert_eq!(both.header("authorization", &bearer).send().await.status, 200);
}

async fn a_certificate_of_another_authority_opens_nothing(scene: Scene) {
    let (hub, other) = (scene.hub().start().await, scene.hub_named("other").start().await);
    let (node, stranger) = (hub.hand_node("north").await, other.hand_node("north").await);
    let own_authority = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    let self_made = certificate(&own_authority, &node.id.to_string(), "nodes", |_| {});
    for identity in [stranger.identity(), self_made] {
        let call = hub.request(Method::GET, "/agent/v1/keys").from(As::Node(identity));
        assert!(call.try_send().await.is_err(), "not even what everybody may ask for is answered");
    }
    assert_eq!(hub.request(Method::GET, "/agent/v1/keys").from(As::Nobody).send().await.status, 200);
}

/// Even the holder of the authority's key has to keep to the rules.
async fn a_certificate_of_the_authority_must_have_the_profile_the_dates_and_the_key_of_a_node(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    let authority = std::fs::read_to_string(hub.data().join("keys/authority.key")).unwrap();
    let authority = KeyPair::from_pem(&authority).unwrap();
    let (own, nobody) = (node.id.to_string(), uuid::Uuid::now_v7().to_string());
    for (name, unit, code) in [
        (own.as_str(), "nodes", CertificateRevoked),
        (&own, "hubs", Unauthenticated),
        (&own, "Nodes", Unauthenticated),
        (&nobody, "nodes", NodeUnknown),
        ("north", "nodes", Unauthenticated),
    ] {
        let forged = certificate(&authority, name, unit, |_| {});
        node.request(Method::POST, "/heartbeat").from(As::Node(forged)).send().await.is_problem(code, None);
    }
    let past = |params: &mut CertificateParams| params.not_after = rcgen::date_time_ymd(2020, 1, 1);
    let future = |params: &mut CertificateParams| params.not_before = rcgen::date_time_ymd(2200, 1, 1);
    let server = |params: &mut CertificateParams| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    };
    let changes: [&dyn Fn(&mut CertificateParams); 3] = [&past, &future, &server];
    for change in changes {
        let forged = certificate(&authority, &own, "nodes", change);
        let call = node.request(Method::POST, "/heartbeat").from(As::Node(forged));
        assert!(call.try_send().await.is_err(), "the connection is refused");
    }
    node.wait(1, 0).await;
}

/// A certificate as the hub makes them for nodes, for a key of nobody's, signed with this key in the
/// name of the hub's authority.
fn certificate(authority: &KeyPair, name: &str, unit: &str, change: impl Fn(&mut CertificateParams)) -> Identity {
    let named = |names: [(DnType, &str); 2]| {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        names.into_iter().for_each(|(kind, name)| params.distinguished_name.push(kind, name));
        params
    };
    let issuer = named([(DnType::CommonName, "Sortie hub authority"), (DnType::OrganizationName, "Sortie")]);
    let issuer = Issuer::new(issuer, authority);
    let (key, mut params) = (key(), named([(DnType::CommonName, name), (DnType::OrganizationalUnitName, unit)]));
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    change(&mut params);
    let signed = params.signed_by(&key, &issuer).unwrap();
    Identity { chain_pem: signed.pem(), key_pem: key.serialize_pem() }
}
