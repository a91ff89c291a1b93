//! The certificate that the hub's operator gives it changes, and with it the authority that vouches for it.

use std::path::Path;
use std::process::Command;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use sortie_client::tls::fingerprint;
use sortie_wire::hub_keys::KeySort;
use stories::{HubPlan, RunningHub, Scene, on_sqlite, until};

use crate::steps::{believed, believes, current, finish, keys, nobody_lags, works};

on_sqlite!(
    an_operator_s_certificate_from_another_authority_is_served_on_sighup_and_followed,
    one_that_cannot_be_used_leaves_the_former_in_place,
    a_hub_that_gets_an_operator_s_certificate_keeps_its_fleet,
);

/// A certificate for this machine from an authority of its own, in the files that the hub reads; the
/// authority's fingerprint.
fn give(folder: &Path) -> String {
    let (root_key, key) = (KeyPair::generate().expect("a key"), KeyPair::generate().expect("a key"));
    let mut root = CertificateParams::default();
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    root.distinguished_name.push(rcgen::DnType::CommonName, uuid::Uuid::new_v4().to_string());
    let root_certificate = root.self_signed(&root_key).expect("it can sign");
    let leaf = CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("a name");
    let leaf = leaf.signed_by(&key, &Issuer::new(root, root_key)).expect("it can sign");
    std::fs::write(folder.join("hub.key"), key.serialize_pem()).expect("the folder can be written");
    std::fs::write(folder.join("hub.pem"), leaf.pem() + &root_certificate.pem()).expect("the folder can be written");
    fingerprint(root_certificate.der())
}

fn with_files<'s>(plan: HubPlan<'s>, folder: &Path) -> HubPlan<'s> {
    let (chain, key) = (folder.join("hub.pem"), folder.join("hub.key"));
    plan.setting("certificate_file", chain.display()).setting("key_file", key.display())
}

fn hang_up(hub: &mut RunningHub<'_>) {
    let sent = Command::new("kill").args(["-HUP", &hub.process().id().to_string()]).status();
    assert!(sent.expect("kill can be run").success());
}

async fn an_operator_s_certificate_from_another_authority_is_served_on_sighup_and_followed(scene: Scene) {
    let first = give(scene.folder());
    let mut hub = with_files(scene.hub(), scene.folder()).start().await;
    assert_eq!(current(&keys(&hub).await, KeySort::Given), first);
    let (site, sleeper) = (hub.site("north").await, hub.site("sleeper").await);
    let _agent = site.start();
    works(&hub, &site).await;
    let second = give(scene.folder());
    hang_up(&mut hub);
    until("the other is served", async || (current(&keys(&hub).await, KeySort::Given) == second).then_some(())).await;
    nobody_but_the_sleeper_lags(&hub).await;
    works(&hub, &site).await;
    let version = finish(&hub, true).await.version;
    believes(&site, version).await;
    assert!(believed(&site).authorities.iter().all(|authority| authority.fingerprint != first));
    let _agent = sleeper.start();
    works(&hub, &sleeper).await;
    nobody_lags(&hub).await;
    assert_eq!(hub.events("keys.given").await.len(), 2);
}

async fn nobody_but_the_sleeper_lags(hub: &RunningHub<'_>) {
    until("one lags", async || (keys(hub).await.lagging == 1).then_some(())).await;
}

async fn one_that_cannot_be_used_leaves_the_former_in_place(scene: Scene) {
    let first = give(scene.folder());
    let mut hub = with_files(scene.hub(), scene.folder()).start().await;
    let site = hub.site("north").await;
    let _agent = site.start();
    std::fs::write(scene.folder().join("hub.key"), KeyPair::generate().expect("a key").serialize_pem()).unwrap();
    hang_up(&mut hub);
    until("it is told", async || hub.log().contains("the former one is served on").then_some(())).await;
    works(&hub, &site).await;
    assert_eq!(current(&keys(&hub).await, KeySort::Given), first);
}

async fn a_hub_that_gets_an_operator_s_certificate_keeps_its_fleet(scene: Scene) {
    let hub = scene.hub().start().await;
    let site = hub.site("north").await;
    let _agent = site.start();
    works(&hub, &site).await;
    let (plan, _) = hub.stop().await;
    let given = give(scene.folder());
    let hub = with_files(plan, scene.folder()).start().await;
    works(&hub, &site).await;
    assert!(believed(&site).authorities.iter().any(|authority| authority.fingerprint == given));
}
