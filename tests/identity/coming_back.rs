//! Nodes that come back: after their certificate has ended, and to a hub that did not know them for a while.

use serde_json::json;
use sortie_wire::problem::ProblemCode::{CertificateEnded, CertificateRevoked};
use stories::{HubPlan, RunningHub, Scene, certificate_request, on_both_engines, on_sqlite, until};

use crate::by_hand::{ByHand, wait_path};

on_both_engines!(a_node_whose_certificate_has_ended_renews_it_with_its_key_and_works_on);
on_sqlite!(
    a_node_whose_certificate_has_ended_may_renew_and_nothing_else,
    a_node_that_was_away_for_longer_than_the_grace_is_refused_and_keeps_its_key,
    a_credential_outlasts_a_hub_that_does_not_know_it,
);

/// The hub forty days ago: certificates that it gives nodes then have ended ten days ago.
fn forty_days_ago<'s>(plan: &HubPlan<'s>) -> HubPlan<'s> {
    plan.clone().under(&["faketime", "--exclude-monotonic", "-f", "-40d"]).variable("NO_FAKE_STAT", "1")
}

async fn a_node_whose_certificate_has_ended_renews_it_with_its_key_and_works_on(scene: Scene) {
    let plan = scene.hub();
    let hub = forty_days_ago(&plan).start().await;
    let sites = [hub.site("auto").await, hub.site("certificate").await.setting("proof", "certificate")];
    hub.kill().await;
    let hub = plan.start().await;
    for site in &sites {
        let _agent = site.start();
        works(&hub, site.name()).await;
        let node = hub.people().node(site.name()).await.unwrap();
        assert!(node.certificate_until > stories::now());
    }
    assert_eq!(hub.events("node.renewed").await.len(), 2, "once each");
}

async fn a_node_whose_certificate_has_ended_may_renew_and_nothing_else(scene: Scene) {
    let plan = scene.hub();
    let hub = forty_days_ago(&plan).start().await;
    let (node, revoked) = (hub.hand_node("north").await, hub.hand_node("south").await);
    hub.people().revoke_node("south").await.unwrap();
    hub.kill().await;
    let hub = plan.start().await;
    let hand = ByHand::of(&node);
    until("the hub has begun a while ago", async || {
        let answer = hand.ask(&hub, http::Method::GET, &wait_path(&node), "").await;
        (answer.problem().code == CertificateEnded).then_some(())
    })
    .await;
    assert!(node.try_wait(&node.next_wait(1, 0)).await.is_err(), "nor does the certificate itself count");
    let renew = async |node: &stories::HandNode| {
        let key = rcgen::KeyPair::from_pem(&node.identity().key_pem).unwrap();
        let facts = json!({ "version": "", "os": "", "arch": "", "hostname": "" });
        let body = json!({ "certificate_request": certificate_request(&key), "facts": facts }).to_string();
        ByHand::of(node).ask(&hub, http::Method::POST, "/agent/v1/renew", &body).await
    };
    renew(&revoked).await.is_problem(CertificateRevoked, None);
    assert_eq!(renew(&node).await.status, 200);
    assert_eq!(hand.ask(&hub, http::Method::GET, &wait_path(&node), "").await.status, 200);
}

async fn a_node_that_was_away_for_longer_than_the_grace_is_refused_and_keeps_its_key(scene: Scene) {
    let plan = scene.hub();
    let hub = forty_days_ago(&plan).start().await;
    let site = hub.site("north").await;
    hub.kill().await;
    let key = std::fs::read(site.data().join("identity/key.pem")).unwrap();
    let hub = plan.clone().setting("renewal_grace_days", 5).start().await;
    let agent = site.start();
    until("it is told", async || site.log().contains("--replace").then_some(())).await;
    hub.kill().await;
    // The operator gives it longer.
    let hub = plan.start().await;
    works(&hub, "north").await;
    assert_eq!(std::fs::read(site.data().join("identity/key.pem")).unwrap(), key);
    drop(agent);
}

/// The hub's database is another for a while, as after a restore that went wrong.
async fn a_credential_outlasts_a_hub_that_does_not_know_it(scene: Scene) {
    let hub = scene.hub().start().await;
    let site = hub.site("north").await;
    let agent = site.start();
    works(&hub, "north").await;
    let plan = hub.kill().await;
    let aside = scene.folder().join("aside");
    std::fs::create_dir(&aside).unwrap();
    let kept = ["sortie.db", "sortie.db-wal", "sortie.db-shm", "admin.token"];
    for file in kept {
        let _not_there = std::fs::rename(plan.data().join(file), aside.join(file));
    }
    let hub = plan.start().await;
    let refusals = || site.log().matches("node_unknown").count();
    until("it is refused three times", async || (refusals() >= 3).then_some(())).await;
    let plan = hub.kill().await;
    for file in kept {
        let _gone = std::fs::remove_file(plan.data().join(file));
        let _not_there = std::fs::rename(aside.join(file), plan.data().join(file));
    }
    let hub = plan.start().await;
    works(&hub, "north").await;
    agent.stop().await;
}

async fn works(hub: &RunningHub<'_>, node: &str) {
    let id = hub.submit(node, "sys.info", json!({})).await;
    assert_eq!(hub.ended(id).await.summary.status.as_str(), "completed");
}
