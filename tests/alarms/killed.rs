//! Hubs that die between an event and its alarm.

use sortie_wire::nodes::PutSite;
use stories::{RunningHub, Scene, on_both_engines, until};

use crate::help::{of_rule, sites_are_alarms, told};

on_both_engines!(a_hub_that_dies_between_an_event_and_its_alarm_raises_it_once);

const ROUNDS: usize = 5;

async fn make_site(hub: &RunningHub<'_>, key: &str) {
    hub.people().put_site(key, &PutSite { name: "a site".to_owned() }).await.expect("an administrator may");
}

async fn a_hub_that_dies_between_an_event_and_its_alarm_raises_it_once(scene: Scene) {
    let mut hub = scene.hub().start().await;
    sites_are_alarms(&hub).await;
    let mut in_between = 0;
    for round in 0..ROUNDS {
        make_site(&hub, &format!("site-{round}")).await;
        let plan = hub.kill().await;
        let there = plan.sql(&format!("select count(*) from alarms where subject = 'site-{round}'"));
        in_between += usize::from(there == ["0"]);
        hub = plan.start().await;
        until("it is raised", async || (of_rule(&hub, "site.made").await.len() > round).then_some(())).await;
        // Nor does one who dies afterwards raise it again.
        hub = hub.kill().await.start().await;
    }
    assert!(in_between > 0, "one of {ROUNDS} died in between");
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
