//! Versions of the protocol: both sides say which they speak, and an agent never goes back below the highest.

use http::Method;
use serde_json::{Value, json};
use sortie_rules::protocols::{HEADER, NEWEST, spoken};
use sortie_wire::problem::ProblemCode::ProtocolUnsupported;
use stories::{RunningHub, Scene, Site, on_sqlite, until};

use crate::inspector::{Inspector, SiteAuthority};

on_sqlite!(
    an_agent_of_another_age_is_told_what_the_hub_serves,
    an_agent_notes_what_was_spoken_and_refuses_less_with_the_reason,
    a_proxy_that_takes_the_header_away_does_not_bring_the_agent_below_what_was_spoken,
);

async fn an_agent_of_another_age_is_told_what_the_hub_serves(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    let body = json!({ "boot": uuid::Uuid::now_v7(), "held": [] });
    for header in ["7", "0", "", "none", "99999999999999999999"] {
        let answer = node.request(Method::POST, "/heartbeat").header(HEADER, header).json(&body).send().await;
        let problem = answer.is_problem(ProtocolUnsupported, None);
        assert!(problem.detail.contains(&spoken()), "{problem:?}");
        assert_eq!(answer.headers[HEADER], spoken().as_str(), "programs may read it too");
    }
    for header in ["1", "7,1", " 1 , 2 "] {
        let answer = node.request(Method::POST, "/heartbeat").header(HEADER, header).json(&body).send().await;
        assert_eq!(answer.status, 200, "{header}: {answer:?}");
    }
    assert_eq!(node.wait(1, 0).await.protocol, NEWEST, "what is spoken is signed");
}

async fn an_agent_notes_what_was_spoken_and_refuses_less_with_the_reason(scene: Scene) {
    let hub = scene.hub().start().await;
    let site = hub.site("north").await;
    let agent = site.start();
    works(&hub).await;
    agent.stop().await;
    assert_eq!(noted(&site)["protocol"], NEWEST);
    // It has spoken a newer version with this hub, which was put back since.
    note(&site, NEWEST + 1);
    let agent = site.start();
    let id = hub.submit("north", "sys.info", json!({})).await;
    until("it refuses", async || site.log().contains("protocol_downgraded").then_some(())).await;
    let log = site.log();
    assert!(log.contains("was put back to an older program"), "{log}");
    assert!(!hub.task(id).await.summary.status.is_terminal(), "nothing of it is done");
    agent.stop().await;
    note(&site, NEWEST);
    let _agent = site.start();
    assert_eq!(hub.ended(id).await.summary.status.as_str(), "completed");
}

/// The header is gone, so the hub speaks the first version. What it speaks is signed, and no proxy can say another.
async fn a_proxy_that_takes_the_header_away_does_not_bring_the_agent_below_what_was_spoken(scene: Scene) {
    let plan = scene.hub();
    let authority = SiteAuthority::new();
    let inspector = Inspector::before(&plan.url(), &authority).await;
    let hub = plan.setting("url", inspector.url()).start().await;
    let site = Site::new(&scene, "north").setting("ca_file", authority.file(scene.folder()).display());
    site.enroll(&hub.invite("north").await).well();
    note(&site, NEWEST + 1);
    inspector.take_away(HEADER);
    inspector.meddle(|_, _, mut passed| {
        passed.headers.retain(|(name, _)| name != HEADER);
        passed.headers.push((HEADER.to_owned(), (NEWEST + 1).to_string()));
        passed
    });
    let _agent = site.start();
    until("it refuses", async || site.log().contains("protocol_downgraded").then_some(())).await;
}

fn noted(site: &Site<'_>) -> Value {
    let file = site.data().join("identity/node.json");
    serde_json::from_slice(&std::fs::read(file).expect("it has enrolled")).expect("JSON")
}

fn note(site: &Site<'_>, protocol: u32) {
    let mut noted = noted(site);
    noted["protocol"] = json!(protocol);
    std::fs::write(site.data().join("identity/node.json"), noted.to_string()).expect("it is ours");
}

async fn works(hub: &RunningHub<'_>) {
    let id = hub.submit("north", "sys.info", json!({})).await;
    assert_eq!(hub.ended(id).await.summary.status.as_str(), "completed");
}
