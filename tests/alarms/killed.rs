//! Hubs that die between an event and its alarm.

use serde_json::json;
use sortie_wire::alarms::AlarmState;
use sortie_wire::nodes::PutSite;
use stories::{RunningHub, Scene, looks_again, on_both_engines, on_sqlite, until};

use crate::help::{becomes, of_rule, set_rule, sites_are_alarms, time_passes, told};

on_both_engines!(a_hub_that_dies_between_an_event_and_its_alarm_raises_it_once);
on_sqlite!(what_has_ended_unseen_is_not_raised_because_its_time_has_come);

const ROUNDS: usize = 5;

async fn make_site(hub: &RunningHub<'_>, key: &str) {
    hub.people().put_site(key, &PutSite { name: "a site".to_owned() }).await.expect("an administrator may");
}

async fn a_hub_that_dies_between_an_event_and_its_alarm_raises_it_once(scene: Scene) {
    let mut hub = scene.hub().start().await;
    sites_are_alarms(&hub).await;
    for round in 0..ROUNDS {
        make_site(&hub, &format!("site-{round}")).await;
        // Before its alarm is raised, or just after.
        hub = hub.kill().await.start().await;
        until("it is raised", async || (of_rule(&hub, "site.made").await.len() > round).then_some(())).await;
        // Nor does one who dies afterwards raise it again.
        hub = hub.kill().await.start().await;
    }
    make_site(&hub, "last").await;
    until("the last is raised", async || {
        of_rule(&hub, "site.made").await.iter().any(|one| one.subject.as_deref() == Some("last")).then_some(())
    })
    .await;
    let mut subjects: Vec<_> = of_rule(&hub, "site.made").await.into_iter().filter_map(|one| one.subject).collect();
    subjects.sort();
    let mut expected: Vec<String> = (0..ROUNDS).map(|round| format!("site-{round}")).collect();
    expected.insert(0, "last".to_owned());
    assert_eq!(subjects, expected);
    let opened = told(&hub).await.iter().filter(|(kind, _)| kind == "alarm.opened").count();
    assert_eq!(opened, expected.len());
}

async fn what_has_ended_unseen_is_not_raised_because_its_time_has_come(scene: Scene) {
    let hub = scene.hub().start().await;
    set_rule(
        &hub,
        json!({
            "name": "site.open", "severity": "info", "summary": "A site is open.", "subject": "/site", "hold_s": 3600,
            "begins": [{ "kind": "site.changed", "where": { "/name": "a site" } }],
            "ends": [{ "kind": "site.changed", "where": { "/name": "no site" } }],
        }),
    )
    .await;
    make_site(&hub, "north").await;
    becomes(&hub, "site.open", AlarmState::Pending).await;
    let plan = hub.kill().await;
    // What the hub had written down before it died, and not followed.
    let ends = "replace(data, 'a site', 'no site')";
    plan.sql(&format!(
        "insert into events (number, org, at, kind, node, task, actor, data)
             select (select max(number) + 1 from events), org, at, kind, node, task, actor, {ends} from events
             where kind = 'site.changed'"
    ));
    time_passes(&plan, 3600);
    let hub = plan.start().await;
    until("it is over", async || of_rule(&hub, "site.open").await.is_empty().then_some(())).await;
    looks_again(&hub, "alarms").await;
    assert!(told(&hub).await.is_empty(), "it was never told, and is over");
}
