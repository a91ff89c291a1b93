//! Several hubs on one database.

use serde_json::json;
use sortie_wire::alarms::{AlarmState, PutAlarmRule};
use sortie_wire::nodes::PutSite;
use stories::{Engine, Scene, until};

use crate::help::{becomes, of_rule, report, set_rule, sites_are_alarms};

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn two_hubs_raise_one_alarm_and_the_second_goes_on_when_the_first_dies() {
    let scene = Scene::new(Engine::Postgres);
    let hub = scene.hub().start().await;
    let other = hub.plan().beside("other").start().await;
    sites_are_alarms(&hub).await;
    let site = |name: &str| PutSite { name: name.to_owned() };
    for (number, at) in [&hub, &other, &hub, &other].into_iter().enumerate() {
        at.people().put_site(&format!("site-{number}"), &site("a site")).await.expect("an administrator may");
    }
    until("each is raised", async || (of_rule(&other, "site.made").await.len() >= 4).then_some(())).await;
    let dead = hub.kill().await;
    other.people().put_site("site-4", &site("a site")).await.expect("an administrator may");
    until("the second goes on", async || (of_rule(&other, "site.made").await.len() >= 5).then_some(())).await;
    let hub = dead.start().await;
    hub.people().put_site("site-5", &site("a site")).await.expect("an administrator may");
    until("and both again", async || (of_rule(&hub, "site.made").await.len() >= 6).then_some(())).await;
    let mut subjects: Vec<_> = of_rule(&hub, "site.made").await.into_iter().filter_map(|one| one.subject).collect();
    subjects.sort();
    assert_eq!(subjects, (0..6).map(|number| format!("site-{number}")).collect::<Vec<_>>(), "each once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_rule_that_is_made_at_one_hub_holds_at_the_other() {
    let scene = Scene::new(Engine::Postgres);
    let hub = scene.hub().start().await;
    let other = hub.plan().beside("other").start().await;
    let node = other.hand_node("north").await;
    let facts = json!({ "data_disk": { "used_percent": 50 } });
    report(&node, "facts", facts.clone()).await;
    let rule = json!({
        "name": "disk.full", "severity": "critical", "summary": "Half full.",
        "facts": { "kind": "facts", "field": "/data_disk/used_percent", "above": 40 },
    });
    set_rule(&hub, rule).await;
    until("the other judges by it", async || {
        report(&node, "facts", facts.clone()).await;
        (!of_rule(&other, "disk.full").await.is_empty()).then_some(())
    })
    .await;
    hub.people().set_alarm_rule("disk.full", &PutAlarmRule { rule: None }).await.expect("an administrator may");
    becomes(&other, "disk.full", AlarmState::Resolved).await;
}
