//! The retention of events waits for NATS, up to a limit.

use stories::{RunningHub, Scene, on_both_engines, on_sqlite, until};

use crate::help::{all_arrived, burst, events, hub, is_whole, metric, nats, one_more, until_said};

on_both_engines!(old_events_are_kept_until_nats_has_them);
on_sqlite!(beyond_the_limit_old_events_go_and_that_is_said);

/// Waits until the hub has looked for what may be forgotten.
async fn has_looked(hub: &RunningHub<'_>) {
    until("old rows are looked for", async || {
        hub.operations("/metrics").await.1.contains("sortie_loop_seconds_count{work=\"forget_old\"}").then_some(())
    })
    .await;
}

async fn old_events_are_kept_until_nats_has_them(scene: Scene) {
    let mut nats = nats(&scene);
    nats.stop();
    let hub = hub(&scene, &nats).setting("retention.events_d", 0).start().await;
    let _node = hub.hand_node("north").await;
    assert!(burst(&hub, &["north"], 50).await);
    // The newest event always stays.
    one_more(&hub).await;
    let before = hub.events("task").await;
    let hub = hub.stop().await.0.start().await;
    has_looked(&hub).await;
    assert_eq!(hub.events("task").await, before);
    nats.start();
    is_whole(&all_arrived(&hub, &nats).await, &events(&hub).await);
    // Now they may go.
    let hub = hub.stop().await.0.start().await;
    until("they are forgotten", async || hub.events("task").await.is_empty().then_some(())).await;
}

async fn beyond_the_limit_old_events_go_and_that_is_said(scene: Scene) {
    let mut nats = nats(&scene);
    nats.stop();
    let hub = hub(&scene, &nats).setting("retention.events_d", 0).setting("nats.held_d", 0).start().await;
    let _node = hub.hand_node("north").await;
    assert!(burst(&hub, &["north"], 50).await);
    // The newest event always stays.
    one_more(&hub).await;
    let hub = hub.stop().await.0.start().await;
    until("they are forgotten", async || hub.events("task").await.is_empty().then_some(())).await;
    assert!(burst(&hub, &["north"], 3).await);
    nats.start();
    let arrived = all_arrived(&hub, &nats).await;
    assert_eq!(arrived.iter().filter(|one| one.event.data.kind == "task.submitted").count(), 3);
    until_said(&hub, "Events were forgotten before NATS had them").await;
    assert!(metric(&hub, "sortie_outbox_lost_events_total").await >= Some(50.0));
}
