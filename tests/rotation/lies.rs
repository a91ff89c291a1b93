//! What a hostile hub, or somebody on the way, can offer in place of the true chain: none of it moves an agent.

use http::Method;
use rcgen::{KeyPair, PKCS_ED25519};
use sortie_wire::envelope::{Envelope, KEYS, Signer};
use sortie_wire::hub_keys::Rotatable;
use sortie_wire::keys::{KeyChain, KeySet, KeysQuery};
use stories::{As, RunningHub, Scene, Site, on_sqlite, until};

use crate::impostor::Impostor;
use crate::steps::{believed, believes, nobody_lags, rotate_at_once, works};

on_sqlite!(a_chain_that_is_forged_cut_or_old_moves_nobody, strangers_may_read_the_chain_and_it_has_an_end);

/// What the true hub offers after this version.
async fn chain(hub: &RunningHub<'_>, after: u64) -> KeyChain {
    let path = format!("/agent/v1/keys?after={after}");
    let answer = hub.request(Method::GET, &path).from(As::Nobody).send().await;
    assert_eq!(answer.status, 200, "{answer:?}");
    serde_json::from_value(answer.json()).expect("a chain")
}

fn signer() -> Signer {
    let key = KeyPair::generate_for(&PKCS_ED25519).expect("a key can be made");
    Signer::from_pkcs8(&key.serialize_der()).expect("it is one")
}

fn signed(set: &KeySet, signer: &Signer) -> Envelope {
    signer.sign(KEYS, &serde_json::to_vec(set).expect("JSON"))
}

async fn a_chain_that_is_forged_cut_or_old_moves_nobody(scene: Scene) {
    let hub = scene.hub().start().await;
    let site = hub.site("north").await;
    let agent = site.start();
    rotate_at_once(&hub, Rotatable::Delivery).await;
    nobody_lags(&hub).await;
    agent.stop().await;
    rotate_at_once(&hub, Rotatable::Delivery).await;
    let last = rotate_at_once(&hub, Rotatable::Delivery).await.version;
    let (true_chain, own, thief) = (chain(&hub, 0).await.links, believed(&site), signer());
    assert_eq!((own.version, last), (2, 4));
    let thiefs = KeySet { keys: vec![thief.public_key()], ..own.clone() };
    let forged = KeySet { version: 3, ..thiefs.clone() };
    let mut relabelled = signed(&forged, &thief);
    relabelled.signatures[0].keyid = own.keys[0].id.clone();
    let offers = [
        ("keys_unsigned", vec![signed(&forged, &thief)], 3),
        ("keys_unsigned", vec![relabelled], 3),
        ("keys_forked", vec![signed(&thiefs, &thief)], 2),
        ("keys_gap", vec![true_chain[3].clone()], 4),
        ("keys_gap", vec![], 4),
        ("keys_older", vec![true_chain[0].clone()], 2),
        ("keys_older", vec![], 1),
        ("keys_too_large", vec![true_chain[1].clone(); 51], 4),
        ("keys_damaged", vec![Envelope { payload: "e30=".to_owned(), ..true_chain[2].clone() }], 3),
    ];
    let (plan, _) = hub.stop().await;
    let address = plan.url().trim_start_matches("https://").to_owned();
    for (number, (code, links, newest)) in offers.into_iter().enumerate() {
        let impostor = Impostor::at(&address, KeyChain { links, newest }).await;
        let seen = site.log().matches(code).count();
        let agent = site.start();
        until(&format!("offer {number} is refused as {code}"), async || {
            (site.log().matches(code).count() > seen).then_some(())
        })
        .await;
        agent.kill().await;
        drop(impostor);
        assert_eq!(believed(&site), own, "offer {number} moved nothing");
    }
    let hub = plan.start().await;
    let _agent = site.start();
    works(&hub, &site).await;
    believes(&site, 4).await;
}

async fn strangers_may_read_the_chain_and_it_has_an_end(scene: Scene) {
    let hub = scene.hub().start().await;
    assert_eq!(chain(&hub, 0).await.links.len(), 1);
    for after in [1, 2, u64::MAX] {
        assert_eq!(chain(&hub, after).await, KeyChain { links: vec![], newest: 1 });
    }
    let bad = hub.request(Method::GET, "/agent/v1/keys?after=-1").from(As::Nobody).send().await;
    assert_eq!(bad.status, 400, "{bad:?}");
    let _all = KeysQuery::default();
    let site: Site<'_> = hub.site("north").await;
    assert_eq!(believed(&site).version, 1);
}
