//! The certificate request that an agent comes with: its key counts, and nothing else in it.

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, SanType,
};
use serde_json::json;
use sortie_wire::problem::ProblemCode::{FieldInvalid, MalformedBody};
use stories::{Scene, certificate_request, on_sqlite};

use crate::certificates::Read;
use crate::help::{enroll, key, proven, traces};

on_sqlite!(
    a_request_that_cannot_be_used_is_refused_and_the_invite_stays_open,
    names_and_wishes_in_a_request_are_not_heard,
);

async fn a_request_that_cannot_be_used_is_refused_and_the_invite_stays_open(scene: Scene) {
    let hub = scene.hub().start().await;
    let invite = hub.invite("north").await;
    let good = certificate_request(&key());
    let before = traces(&hub).await;
    let other_kind = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    for (request, word) in [
        (certificate_request(&other_kind), "Ed25519"),
        (signed_by_another(), "not signed by its own key"),
        (good[..good.len() / 2].to_owned(), "cannot be read"),
        (String::new(), "cannot be read"),
        (key().serialize_pem(), "cannot be read"),
    ] {
        let refused = enroll(&hub, &invite, &request).await;
        let problem = refused.is_problem(FieldInvalid, Some("/certificate_request"));
        assert!(problem.detail.contains(word), "{word}: {problem:?}");
    }
    let long = json!({ "version": "v".repeat(256), "os": "", "arch": "", "hostname": "" });
    for (body, code, pointer) in [
        (json!({ "facts": {} }), MalformedBody, "/facts"),
        (json!({ "certificate_request": good, "facts": long }), FieldInvalid, "/facts"),
        (json!({ "certificate_request": good, "facts": long, "name": "root" }), MalformedBody, "/name"),
    ] {
        proven(&hub, &invite, &body).send().await.is_problem(code, Some(pointer));
    }
    assert_eq!(traces(&hub).await, before);
    assert_eq!(enroll(&hub, &invite, &good).await.status, 200);
}

async fn names_and_wishes_in_a_request_are_not_heard(scene: Scene) {
    let hub = scene.hub().start().await;
    let (key, mut wishes) = (key(), CertificateParams::new(vec!["root.example".to_owned()]).unwrap());
    wishes.distinguished_name.push(DnType::CommonName, "root");
    wishes.distinguished_name.push(DnType::OrganizationalUnitName, "hubs");
    wishes.subject_alt_names.push(SanType::IpAddress([127, 0, 0, 1].into()));
    wishes.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    wishes.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    wishes.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    // rcgen writes no basic constraints into a request; it refuses, and then the rest is asked for without.
    let request = wishes.serialize_request(&key).or_else(|_| {
        wishes.is_ca = IsCa::NoCa;
        wishes.serialize_request(&key)
    });
    let request = request.unwrap().pem().unwrap();
    let enrolled = enroll(&hub, &hub.invite("north").await, &request).await.json();
    let given = Read::first(enrolled["certificate"]["chain"].as_str().unwrap());
    let node = enrolled["node"].as_str().unwrap();
    assert_eq!(given.subject, format!("CN={node}, OU=nodes"));
    assert_eq!((given.names, given.usages), (vec![], vec!["digital signature", "client"]));
    assert!(!given.is_authority);
}

/// A request for one key with the signature of another.
fn signed_by_another() -> String {
    use base64::Engine as _;
    let good = certificate_request(&key());
    let lines: Vec<&str> = good.lines().collect();
    let body: String = lines[1..lines.len() - 1].concat();
    let engine = base64::engine::general_purpose::STANDARD;
    let mut bytes = engine.decode(body).unwrap();
    // The signature is the end of it.
    *bytes.last_mut().unwrap() ^= 1;
    format!("{}\n{}\n{}\n", lines[0], engine.encode(bytes), lines[lines.len() - 1])
}
