//! Machines whose clocks are wrong by a year, either way: they enrol, work and renew by the hub's signed time, and
//! people see which they are.

use serde_json::{Value, json};
use sortie_rules::clocks::ClockState;
use stories::{RunningHub, Scene, Site, on_both_engines, on_sqlite, until};

use crate::inspector::{Inspector, SiteAuthority};

on_both_engines!(a_site_whose_clock_is_a_year_behind_enrols_works_and_renews);
on_sqlite!(
    a_site_whose_clock_is_a_year_ahead_enrols_works_and_renews,
    a_wrong_clock_makes_good_assertions_and_believes_no_old_answer_also_after_a_restart,
    a_clock_that_is_set_right_is_told_once,
);

/// The site's programs with the clock moved by so much. Only the time of day moves, not the time that passes.
fn moved<'s>(site: Site<'s>, by: &str) -> Site<'s> {
    site.under(&["faketime", "--exclude-monotonic", "-f", by]).variable("NO_FAKE_STAT", "1")
}

async fn a_site_whose_clock_is_a_year_behind_enrols_works_and_renews(scene: Scene) {
    lives(&scene, "-365d", -1).await;
}

async fn a_site_whose_clock_is_a_year_ahead_enrols_works_and_renews(scene: Scene) {
    lives(&scene, "+365d", 1).await;
}

async fn lives(scene: &Scene, by: &str, sign: i64) {
    let hub = scene.hub().start().await;
    let site = moved(Site::new(scene, "north"), by);
    site.enroll(&hub.invite("north").await).well();
    let agent = site.start();
    works(&hub).await;
    let skew = until("it is said that its clock is skewed", async || {
        let node = hub.people().node("north").await.unwrap();
        node.clock_skew_ms.filter(|_| node.clock == Some(ClockState::Skewed))
    })
    .await;
    let days = skew * sign / 86_400_000;
    assert!((364..=366).contains(&days), "{skew}");
    let shown = hub.sortie(&["node", "show", "north"]).well().stdout;
    assert!(shown.lines().any(|line| line.starts_with("clock") && line.contains("skewed")), "{shown}");
    assert!(hub.sortie(&["node", "list"]).well().stdout.contains("skewed"));
    agent.stop().await;
    assert!(hub.events("node.renewed").await.is_empty(), "by the hub's time it is not due");

    // The dates that the agent has noted are set back, as if it had been away for twenty of the thirty days.
    let file = site.data().join("identity/node.json");
    let mut noted: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    for date in ["certificate_from", "certificate_until"] {
        noted[date] = json!(noted[date].as_i64().unwrap() - 20 * 86_400_000);
    }
    std::fs::write(&file, noted.to_string()).unwrap();
    let _agent = site.start();
    until("it has renewed", async || (hub.events("node.renewed").await.len() == 1).then_some(())).await;
    works(&hub).await;
    assert_eq!(hub.events("node.clock_skewed").await.len(), 1, "told once");
}

async fn a_wrong_clock_makes_good_assertions_and_believes_no_old_answer_also_after_a_restart(scene: Scene) {
    let plan = scene.hub();
    let authority = SiteAuthority::new();
    let inspector = Inspector::before(&plan.url(), &authority).await;
    let hub = plan.setting("url", inspector.url()).start().await;
    let site = Site::new(&scene, "north").setting("ca_file", authority.file(scene.folder()).display());
    let site = moved(site, "-365d").setting("proof", "assertion");
    site.enroll(&hub.invite("north").await).well();
    let agent = site.start();
    works(&hub).await;
    agent.kill().await;
    inspector.meddle(|before, line, passed| {
        let old = before.iter().find(|seen| {
            line.contains("/tasks/wait") && seen.line.contains("/tasks/wait") && seen.answer.status == 200
        });
        old.map_or(passed, |old| old.answer.clone())
    });
    let _agent = site.start();
    hub.submit("north", "sys.info", json!({})).await;
    until("an old answer is not believed", async || site.log().contains("has not proved to be the hub").then_some(()))
        .await;
    inspector.behave();
    works(&hub).await;
}

async fn a_clock_that_is_set_right_is_told_once(scene: Scene) {
    let hub = scene.hub().start().await;
    let site = hub.site("north").await;
    let agent = moved(site.clone(), "+3d").start();
    let said = async |state| {
        until("it is said", async || (hub.people().node("north").await.unwrap().clock == Some(state)).then_some(()))
            .await;
    };
    said(ClockState::Skewed).await;
    agent.stop().await;
    let _agent = site.start();
    said(ClockState::Ok).await;
    works(&hub).await;
    for kind in ["node.clock_skewed", "node.clock_ok"] {
        assert_eq!(hub.events(kind).await.len(), 1, "{kind}");
    }
}

async fn works(hub: &RunningHub<'_>) {
    let id = hub.submit("north", "sys.info", json!({})).await;
    assert_eq!(hub.ended(id).await.summary.status.as_str(), "completed");
}
