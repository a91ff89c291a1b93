//! Certificates of the operator's that a hub can use, and those that it refuses at its start, before
//! any site has believed them.

use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use serde_json::{Value, json};
use sortie_rules::tasks::Status;
use stories::{HubPlan, Scene, on_sqlite};

use crate::certificates::Read;
use crate::help::read;

on_sqlite!(
    a_certificate_that_vouches_for_itself_is_what_agents_trust,
    a_chain_may_have_a_link_between,
    a_certificate_without_its_issuer_is_refused_at_the_start,
    files_that_do_not_belong_together_are_refused_at_the_start,
);

async fn a_certificate_that_vouches_for_itself_is_what_agents_trust(scene: Scene) {
    let (key, certificate) = (KeyPair::generate().unwrap(), for_this_machine());
    let pem = certificate.self_signed(&key).unwrap().pem();
    works(&scene, &pem, &key).await;
}

async fn a_chain_may_have_a_link_between(scene: Scene) {
    let (root_key, link_key, key) = (new_key(), new_key(), new_key());
    let (root, link) = (authority(), authority());
    let root_pem = root.self_signed(&root_key).unwrap().pem();
    let root = Issuer::new(root, root_key);
    let link_pem = link.signed_by(&link_key, &root).unwrap().pem();
    let leaf = for_this_machine().signed_by(&key, &Issuer::new(link, link_key)).unwrap().pem();
    works(&scene, &(leaf + &link_pem + &root_pem), &key).await;
}

/// A site comes in at a hub with this chain, trusts its end, and works.
async fn works(scene: &Scene, chain: &str, key: &KeyPair) {
    let hub = given(scene.hub(), scene.folder(), chain, &key.serialize_pem()).start().await;
    let end = chain.rmatch_indices("-----BEGIN").next().unwrap().0;
    let end = x509_parser::pem::parse_x509_pem(&chain.as_bytes()[end..]).unwrap().1.contents;
    assert_eq!(read(&hub.invite("south").await).ca, sortie_client::tls::fingerprint(&end));
    let site = hub.site("north").await;
    let _agent = site.start();
    let id = hub.submit("north", "sys.info", json!({})).await;
    assert_eq!(hub.ended(id).await.summary.status, Status::Completed);
    let record = std::fs::read_to_string(site.data().join("identity/node.json")).unwrap();
    let record: Value = serde_json::from_str(&record).unwrap();
    let authorities = record["keys"]["authorities"].as_array().unwrap();
    let given = authorities.iter().find(|authority| authority["fingerprint"] == sortie_client::tls::fingerprint(&end));
    assert_eq!(Read::first(given.expect("it is believed")["certificate"].as_str().unwrap()), Read::der(&end));
    let own = std::fs::read_to_string(site.data().join("identity/certificate.pem")).unwrap();
    assert_eq!(Read::first(&own).issuer, "CN=Sortie hub authority, O=Sortie", "nodes are vouched for by the hub");
}

async fn a_certificate_without_its_issuer_is_refused_at_the_start(scene: Scene) {
    let key = new_key();
    let leaf = for_this_machine().signed_by(&key, &Issuer::new(authority(), new_key())).unwrap().pem();
    let stranger = authority().self_signed(&new_key()).unwrap().pem();
    for chain in [leaf.clone(), leaf + &stranger] {
        let plan = given(scene.hub(), scene.folder(), &chain, &key.serialize_pem());
        is_refused(&plan, &["hub.pem", "does not vouch for its first", "up to and including the issuer"]).await;
    }
}

async fn files_that_do_not_belong_together_are_refused_at_the_start(scene: Scene) {
    let key = new_key();
    let pem = for_this_machine().self_signed(&key).unwrap().pem();
    let own = key.serialize_pem();
    let nothing = "nothing\n".to_owned();
    for (chain, key, told) in [
        (&pem, &new_key().serialize_pem(), "certificate cannot be used"),
        (&nothing, &own, "holds no certificate"),
        (&pem, &nothing, "holds no private key"),
        (&pem, &pem, "holds no private key"),
    ] {
        is_refused(&given(scene.hub(), scene.folder(), chain, key), &[told]).await;
    }
    let alone = scene.hub().setting("certificate_file", scene.folder().join("hub.pem").display());
    is_refused(&alone, &["certificate_file", "key_file"]).await;
    let nowhere = given(scene.hub(), scene.folder(), &pem, &own).setting("certificate_file", "/nonexistent.pem");
    is_refused(&nowhere, &["/nonexistent.pem"]).await;
}

async fn is_refused(plan: &HubPlan<'_>, words: &[&str]) {
    let mut process = plan.launch();
    assert_eq!(process.end().await.code(), Some(2), "{}", process.log());
    let log = process.log();
    let last = &log[log.rfind("error:").unwrap_or_else(|| panic!("no error is told: {log}"))..];
    for word in words {
        assert!(last.contains(word), "`{word}` is not said: {last}");
    }
}

/// The hub with this chain and key.
fn given<'s>(plan: HubPlan<'s>, folder: &Path, chain: &str, key: &str) -> HubPlan<'s> {
    let (chain_file, key_file) = (folder.join("hub.pem"), folder.join("hub.key"));
    std::fs::write(&chain_file, chain).unwrap();
    std::fs::write(&key_file, key).unwrap();
    plan.setting("certificate_file", chain_file.display()).setting("key_file", key_file.display())
}

fn new_key() -> KeyPair {
    KeyPair::generate().unwrap()
}

fn for_this_machine() -> CertificateParams {
    CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap()
}

fn authority() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(rcgen::DnType::CommonName, uuid::Uuid::new_v4().to_string());
    params
}
