//! Events arrive: each once, under its subject, in order, as CloudEvents.

use serde_json::json;
use sortie_rules::ids::DEFAULT_ORG;
use stories::{HandNode, Scene, on_both_engines, on_sqlite, until};

use crate::help::{all_arrived, burst, events, hub, is_whole, metric, nats, setup, until_arrived};

on_both_engines!(events_arrive_once_each_and_in_order);
on_sqlite!(
    an_event_is_a_cloud_event_with_what_the_api_tells,
    a_relay_may_begin_with_what_happens_next,
    another_prefix_and_stream_are_used_if_they_are_set,
);

async fn events_arrive_once_each_and_in_order(scene: Scene) {
    let nats = nats(&scene);
    let hub = hub(&scene, &nats).start().await;
    let nodes = [hub.hand_node("north").await, hub.hand_node("south").await];
    assert!(burst(&hub, &["north", "south"], 200).await);
    for node in &nodes {
        for task in node.wait(20, 1).await.tasks {
            node.report(&HandNode::completed(&task, json!({ "slept_ms": 0 }))).await.expect("it is taken");
        }
    }
    let arrived = all_arrived(&hub, &nats).await;
    let events = events(&hub).await;
    is_whole(&arrived, &events);
    assert!(arrived.iter().filter(|one| one.event.data.kind == "task.completed").count() >= 2);
    until("nothing waits", async || (metric(&hub, "sortie_outbox_lag_events").await == Some(0.0)).then_some(())).await;
    assert_eq!(metric(&hub, "sortie_outbox_lag_seconds").await, Some(0.0));
    assert_eq!(metric(&hub, "sortie_outbox_connected").await, Some(1.0));
    assert!(metric(&hub, "sortie_outbox_relayed_total").await >= Some(events.len() as f64));
}

async fn an_event_is_a_cloud_event_with_what_the_api_tells(scene: Scene) {
    let nats = nats(&scene);
    let hub = hub(&scene, &nats).start().await;
    let node = hub.hand_node("north").await;
    let task = hub.submit("north", "sleep", json!({ "ms": 0 })).await;
    let arrived = all_arrived(&hub, &nats).await;
    let first = &arrived[0];
    assert_eq!(first.event.data.kind, "token.created");
    assert_eq!(first.subject, format!("sortie.events.{DEFAULT_ORG}.token.created.-"));
    let submitted = arrived.iter().find(|one| one.event.data.kind == "task.submitted").expect("it has arrived");
    let event = &submitted.event;
    assert_eq!(submitted.subject, format!("sortie.events.{DEFAULT_ORG}.task.submitted.{}", node.id));
    assert_eq!((event.specversion.as_str(), event.type_name.as_str()), ("1.0", "sortie.task.submitted"));
    assert_eq!(event.subject.as_deref(), Some(format!("task/{task}").as_str()));
    assert_eq!(event.source, format!("urn:sortie:hub:{}", node.hub_id));
    assert_eq!(event.id, format!("{}-{}-{}", node.hub_id, event.data.number, event.data.at.0));
    assert_eq!((event.org, event.datacontenttype.as_str()), (DEFAULT_ORG, "application/json"));
    assert!(event.time.ends_with('Z') && event.time.contains('T'), "{}", event.time);
    assert_eq!(event.data.node_name.as_deref(), Some("north"));
}

async fn a_relay_may_begin_with_what_happens_next(scene: Scene) {
    let nats = nats(&scene);
    let first = scene.hub().start().await;
    let _node = first.hand_node("north").await;
    let before = events(&first).await.len();
    let hub = first.stop().await.0.setting("nats.url", nats.url()).setting("nats.begin", "new").start().await;
    until("it has begun", async || (metric(&hub, "sortie_outbox_lag_events").await == Some(0.0)).then_some(())).await;
    hub.submit("north", "sleep", json!({ "ms": 0 })).await;
    let arrived = all_arrived(&hub, &nats).await;
    assert!(arrived[0].event.data.number > before as u64, "{:?}", arrived[0]);
    assert!(arrived.iter().any(|one| one.event.data.kind == "task.submitted"));
}

async fn another_prefix_and_stream_are_used_if_they_are_set(scene: Scene) {
    let nats = nats(&scene);
    setup(&nats, &["--stream", "OTHER", "--prefix", "fleet.west"]).well();
    let plan = hub(&scene, &nats).setting("nats.stream", "OTHER").setting("nats.subject_prefix", "fleet.west");
    let hub = plan.start().await;
    let jetstream = async_nats::jetstream::new(crate::help::connect(&nats).await);
    let message =
        until("an event has arrived", async || jetstream.get_stream("OTHER").await.ok()?.get_raw_message(1).await.ok())
            .await;
    assert_eq!(message.subject.as_str(), format!("fleet.west.{DEFAULT_ORG}.token.created.-"));
    assert_eq!(until_arrived(&nats, 0).await, 0, "nothing is in the stream of the usual name");
    drop(hub);
}
