//! Agents that were away while keys came and went.

use sortie_wire::deliveries::WaitQuery;
use sortie_wire::hub_keys::{FinishKeys, KeySort, Lack, Rotatable, RotateKeys};
use sortie_wire::problem::ProblemCode;
use stories::{Scene, on_sqlite, until};

use crate::steps::{begun, believed, believes, current, finish, keys, nobody_lags, rotate_at_once, works};

on_sqlite!(
    finishing_is_refused_while_one_lags_and_says_who,
    an_agent_that_slept_through_three_rotations_comes_back,
    an_agent_that_slept_until_its_own_authority_was_gone_comes_back,
    an_agent_that_sends_assertions_comes_back_too,
    an_agent_whose_certificate_was_damaged_gets_another,
    a_node_that_says_it_is_ahead_keeps_no_stolen_key_in_use,
    a_stolen_key_is_followed_at_once_and_believed_no_more,
    a_node_that_was_shut_out_holds_nobody_up
);

async fn finishing_is_refused_while_one_lags_and_says_who(scene: Scene) {
    let hub = scene.hub().start().await;
    let (site, away) = (hub.site("north").await, hub.site("away").await);
    let _agent = site.start();
    let rotated = rotate_at_once(&hub, Rotatable::Delivery).await;
    believes(&site, 2).await;
    until("one is left", async || (keys(&hub).await.lagging == 1).then_some(())).await;
    let shown = keys(&hub).await;
    assert_eq!((shown.laggards[0].name.as_str(), shown.laggards[0].lacks), ("away", Lack::Keys));
    let request = FinishKeys { from: rotated.version, force: false };
    let refused = hub.people().finish_keys(&request).await.unwrap_err();
    let problem = refused.problem().expect("a problem");
    assert_eq!(problem.code, ProblemCode::NodesLag);
    assert!(
        problem.detail.contains("`away` (key set 1 of 2, never heard)") && !problem.detail.contains("north"),
        "{problem}"
    );
    assert_eq!(keys(&hub).await.version, 2, "nothing was done");
    let _agent = away.start();
    nobody_lags(&hub).await;
    assert_eq!(finish(&hub, false).await.version, 3);
}

async fn an_agent_that_slept_through_three_rotations_comes_back(scene: Scene) {
    let hub = scene.hub().start().await;
    let site = hub.site("north").await;
    let agent = site.start();
    works(&hub, &site).await;
    agent.stop().await;
    let mut former = believed(&site).keys;
    for _ in 0..3 {
        rotate_at_once(&hub, Rotatable::Delivery).await;
        assert_eq!(finish(&hub, true).await.lagging, 1);
    }
    let left_behind = hub.events("keys.finished").await.pop().expect("it was finished").data;
    assert_eq!((left_behind["forced"].as_bool(), left_behind["left_behind"].as_u64()), (Some(true), Some(1)));
    let _agent = site.start();
    works(&hub, &site).await;
    let now = believed(&site);
    former.retain(|key| now.keys.contains(key));
    assert_eq!((now.version, former), (7, vec![]));
    nobody_lags(&hub).await;
}

/// Neither does it know the hub's certificate then, nor the hub its.
async fn an_agent_that_slept_until_its_own_authority_was_gone_comes_back(scene: Scene) {
    let hub = scene.hub().start().await;
    let site = hub.site("north").await;
    let agent = site.start();
    works(&hub, &site).await;
    agent.stop().await;
    let former = believed(&site);
    for what in [Rotatable::Authority, Rotatable::Delivery, Rotatable::Authority] {
        rotate_at_once(&hub, what).await;
        finish(&hub, true).await;
    }
    let _agent = site.start();
    works(&hub, &site).await;
    let now = believed(&site);
    assert_eq!(now.version, 7);
    assert!(now.authorities.iter().all(|authority| !former.authorities.contains(authority)));
    nobody_lags(&hub).await;
    works(&hub, &site).await;
}

/// The hub's answers are signed with a key that it has never heard of.
async fn an_agent_that_sends_assertions_comes_back_too(scene: Scene) {
    let hub = scene.hub().start().await;
    let site = hub.site("north").await.setting("proof", "assertion");
    let agent = site.start();
    works(&hub, &site).await;
    agent.stop().await;
    for what in [Rotatable::Delivery, Rotatable::Authority, Rotatable::Delivery] {
        rotate_at_once(&hub, what).await;
        finish(&hub, true).await;
    }
    let _agent = site.start();
    works(&hub, &site).await;
    assert_eq!(believed(&site).version, 7);
}

async fn an_agent_whose_certificate_was_damaged_gets_another(scene: Scene) {
    let hub = scene.hub().start().await;
    let site = hub.site("north").await;
    let file = site.data().join("identity/certificate.pem");
    let good = std::fs::read_to_string(&file).expect("it was given one");
    let other = hub.site("other").await.setting("proof", "assertion");
    let of_another = std::fs::read_to_string(other.data().join("identity/certificate.pem"));
    // A hub believes no assertion that was made before it began: once it takes another's, it takes this one's.
    let _admitted = other.start();
    works(&hub, &other).await;
    for damaged in [Some("nonsense".to_owned()), Some(of_another.expect("it was given one")), None] {
        match &damaged {
            Some(text) => std::fs::write(&file, text).expect("it is ours"),
            None => std::fs::remove_file(&file).expect("it is ours"),
        }
        let agent = site.start();
        works(&hub, &site).await;
        until("it has another certificate", async || {
            let now = std::fs::read_to_string(&file).ok()?;
            (Some(&now) != damaged.as_ref() && now != good).then_some(())
        })
        .await;
        agent.stop().await;
    }
}

async fn a_node_that_says_it_is_ahead_keeps_no_stolen_key_in_use(scene: Scene) {
    let hub = scene.hub().start().await;
    let liar = hub.hand_node("liar").await;
    let claim = WaitQuery { keys: Some(999_999), ..liar.next_wait(1, 0) };
    liar.try_wait(&claim).await.expect("it may say so");
    let from = keys(&hub).await.version;
    let rotate = RotateKeys { what: Rotatable::Delivery, at_once: false, from };
    let refused = hub.people().rotate_keys(&rotate).await.unwrap_err();
    let problem = refused.problem().expect("a problem");
    assert!(problem.detail.contains("`liar` (key set 999999)") && problem.detail.contains("--at-once"), "{problem}");
    let stolen = current(&keys(&hub).await, KeySort::Delivery);
    let urgent = rotate_at_once(&hub, Rotatable::Delivery).await;
    assert_ne!(current(&urgent, KeySort::Delivery), stolen);
}

async fn a_stolen_key_is_followed_at_once_and_believed_no_more(scene: Scene) {
    let hub = scene.hub().start().await;
    let site = hub.site("north").await;
    let _agent = site.start();
    works(&hub, &site).await;
    let stolen = current(&keys(&hub).await, KeySort::Delivery);
    let urgent = rotate_at_once(&hub, Rotatable::Delivery).await;
    assert_ne!(current(&urgent, KeySort::Delivery), stolen);
    finish(&hub, true).await;
    believes(&site, 3).await;
    assert!(believed(&site).keys.iter().all(|key| key.id != stolen));
    works(&hub, &site).await;
}

async fn a_node_that_was_shut_out_holds_nobody_up(scene: Scene) {
    let hub = scene.hub().start().await;
    let _stolen = hub.site("stolen").await;
    rotate_at_once(&hub, Rotatable::Authority).await;
    assert_eq!(keys(&hub).await.lagging, 1);
    hub.people().revoke_node("stolen").await.expect("an administrator may");
    assert_eq!(begun(&hub).await.lagging, 0);
    finish(&hub, false).await;
}
