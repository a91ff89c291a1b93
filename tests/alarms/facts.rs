//! What nodes report of themselves.

use serde_json::{Value, json};
use sortie_wire::alarms::AlarmState;
use stories::{Scene, on_both_engines, until};

use crate::help::{alarms, are_told, becomes, of_rule, report, set_rule, time_passes};

on_both_engines!(
    a_disk_that_is_nearly_full_is_an_alarm_until_it_is_not,
    what_must_be_so_for_a_while_is_told_after_that_while,
    what_was_so_for_too_short_is_never_told,
    an_agent_tells_how_full_its_disk_is,
);

fn disk(percent: u64) -> Value {
    json!({ "data_disk": { "used_percent": percent } })
}

async fn a_disk_that_is_nearly_full_is_an_alarm_until_it_is_not(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    report(&node, "facts", disk(90)).await;
    assert_eq!(alarms(&hub).await, [], "that is not above 90");
    for percent in [91, 95, 99] {
        report(&node, "facts", disk(percent)).await;
    }
    report(&node, "other", disk(10)).await;
    // It is there as soon as the report is: both are one transaction.
    let all = of_rule(&hub, "disk.full").await;
    assert_eq!((all.len(), all[0].state, all[0].seen, all[0].node), (1, AlarmState::Open, 3, Some(node.id)));
    assert_eq!(all[0].data, json!({ "kind": "facts", "field": "/data_disk/used_percent", "value": 91 }));
    report(&node, "facts", json!({ "data_disk": {} })).await;
    let all = of_rule(&hub, "disk.full").await;
    assert_eq!(all[0].state, AlarmState::Resolved, "what is not known is no alarm");
    are_told(&hub, &[("alarm.opened", "disk.full"), ("alarm.resolved", "disk.full")]).await;
}

/// A rule by which a queue must be long for five minutes.
fn long_queue() -> Value {
    json!({
        "name": "queue.long", "severity": "warning", "summary": "A queue is long.", "hold_s": 300,
        "facts": { "kind": "queue", "field": "/length", "above": 10 },
    })
}

async fn what_must_be_so_for_a_while_is_told_after_that_while(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    set_rule(&hub, long_queue()).await;
    report(&node, "queue", json!({ "length": 11 })).await;
    let waits = becomes(&hub, "queue.long", AlarmState::Pending).await;
    assert_eq!(waits.due_at.map(|due| due.since(waits.began_at).0), Some(300_000));
    time_passes(hub.plan(), 290);
    report(&node, "queue", json!({ "length": 12 })).await;
    assert_eq!(becomes(&hub, "queue.long", AlarmState::Pending).await.seen, 2);
    are_told(&hub, &[]).await;
    time_passes(hub.plan(), 10);
    let open = becomes(&hub, "queue.long", AlarmState::Open).await;
    assert_eq!((open.id, open.began_at, open.due_at), (waits.id, waits.began_at, None));
    report(&node, "queue", json!({ "length": 10 })).await;
    becomes(&hub, "queue.long", AlarmState::Resolved).await;
    are_told(&hub, &[("alarm.opened", "queue.long"), ("alarm.resolved", "queue.long")]).await;
}

async fn what_was_so_for_too_short_is_never_told(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    set_rule(&hub, long_queue()).await;
    report(&node, "queue", json!({ "length": 11 })).await;
    becomes(&hub, "queue.long", AlarmState::Pending).await;
    report(&node, "queue", json!({ "length": 1 })).await;
    assert_eq!(alarms(&hub).await, []);
    are_told(&hub, &[]).await;
}

async fn an_agent_tells_how_full_its_disk_is(scene: Scene) {
    let hub = scene.hub().start().await;
    set_rule(
        &hub,
        json!({
            "name": "disk.used", "severity": "info", "summary": "A disk is in use.",
            "facts": { "kind": "facts", "field": "/data_disk/used_percent", "above": -1 },
        }),
    )
    .await;
    let site = hub.site("north").await;
    let _agent = site.start();
    let told = until("the agent has told it", async || of_rule(&hub, "disk.used").await.pop()).await;
    assert!(told.data["value"].as_u64().is_some_and(|percent| percent <= 100), "{told:?}");
}
