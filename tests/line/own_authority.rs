//! A hub with a certificate of its operator's, and sites that name an authority to believe beside
//! the one they enrolled with.

use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use serde_json::json;
use stories::{HubPlan, Scene, on_sqlite, until};

on_sqlite!(
    a_hub_with_a_certificate_of_its_operator_s_takes_new_sites,
    a_site_that_names_the_authority_follows_the_hub_to_its_certificate,
    a_site_that_does_not_name_the_authority_says_so_and_follows_the_hub_s_signed_word,
    an_authority_that_cannot_be_read_is_named,
);

async fn a_hub_with_a_certificate_of_its_operator_s_takes_new_sites(scene: Scene) {
    let hub = with_certificate(scene.hub(), scene.folder()).start().await;
    let site = hub.site("north").await;
    let _agent = site.start();
    let id = hub.submit("north", "sys.info", json!({})).await;
    assert_eq!(hub.ended(id).await.summary.status.as_str(), "completed");
}

async fn a_site_that_names_the_authority_follows_the_hub_to_its_certificate(scene: Scene) {
    let hub = scene.hub().start().await;
    let site = hub.site("north").await;
    let hub = with_certificate(hub.kill().await, scene.folder()).start().await;
    let _agent = site.setting("ca_file", authority_file(scene.folder()).display()).start();
    let id = hub.submit("north", "sys.info", json!({})).await;
    assert_eq!(hub.ended(id).await.summary.status.as_str(), "completed");
}

async fn a_site_that_does_not_name_the_authority_says_so_and_follows_the_hub_s_signed_word(scene: Scene) {
    let hub = scene.hub().start().await;
    let site = hub.site("north").await;
    let hub = with_certificate(hub.kill().await, scene.folder()).start().await;
    let mut agent = site.start();
    let said = until("it says so", async || {
        site.log().lines().find(|line| line.contains("no secure connection to the hub")).map(str::to_owned)
    })
    .await;
    assert!(said.contains("WARN") && said.contains("it will be tried again"), "{said}");
    let id = hub.submit("north", "sys.info", json!({})).await;
    assert_eq!(hub.ended(id).await.summary.status.as_str(), "completed", "the next key set names the authority");
    assert!(agent.process.ended().is_none(), "and nobody started it again");
}

async fn an_authority_that_cannot_be_read_is_named(scene: Scene) {
    let hub = scene.hub().start().await;
    let site = hub.site("north").await.setting("ca_file", "/nonexistent/ca.pem");
    assert_eq!(site.start().process.end().await.code(), Some(2));
    assert!(site.log().contains("/nonexistent/ca.pem"), "{}", site.log());
}

/// The hub with a certificate that an authority of the operator's has issued.
fn with_certificate<'s>(plan: HubPlan<'s>, folder: &Path) -> HubPlan<'s> {
    let authority_key = KeyPair::generate().unwrap();
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_pem = authority.self_signed(&authority_key).unwrap().pem();
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let issuer = Issuer::new(authority, authority_key);
    let chain = leaf.signed_by(&key, &issuer).unwrap().pem() + &authority_pem;
    let (chain_file, key_file) = (folder.join("hub.pem"), folder.join("hub.key"));
    std::fs::write(&chain_file, chain).unwrap();
    std::fs::write(&key_file, key.serialize_pem()).unwrap();
    std::fs::write(authority_file(folder), authority_pem).unwrap();
    plan.setting("certificate_file", chain_file.display()).setting("key_file", key_file.display())
}

fn authority_file(folder: &Path) -> PathBuf {
    folder.join("authority.pem")
}
