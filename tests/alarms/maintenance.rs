//! Nodes that people work on.

use http::Method;
use serde_json::{Value, json};
use sortie_rules::time::{Millis, Span};
use sortie_wire::alarms::AlarmState;
use sortie_wire::jobs::Selector;
use sortie_wire::maintenance::{Maintenance, MaintenanceQuery, MaintenanceState, StartMaintenance};
use stories::{As, Engine, HandSet, RunningHub, Scene, on_both_engines, until};

use crate::help::{ask, becomes, of_rule, report, somebody};

on_both_engines!(
    what_begins_in_maintenance_is_an_alarm_that_says_until_when_nobody_is_told,
    maintenance_ends_by_itself_or_when_somebody_ends_it,
    maintenance_is_announced_as_it_must_be,
);

fn for_nodes(names: &[&str], from: Option<Millis>, lasts: Span) -> StartMaintenance {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let selector = Selector { all: names.is_empty(), names, ..Selector::default() };
    StartMaintenance { reason: "new disks".into(), selector, from, until: None, lasts: Some(lasts) }
}

async fn start(hub: &RunningHub<'_>, start: &StartMaintenance) -> Maintenance {
    hub.people().start_maintenance(start).await.expect("an administrator may")
}

fn full() -> Value {
    json!({ "data_disk": { "used_percent": 95 } })
}

async fn what_begins_in_maintenance_is_an_alarm_that_says_until_when_nobody_is_told(scene: Scene) {
    let hub = scene.hub().start().await;
    let (north, south) = (hub.hand_node("north").await, hub.hand_node("south").await);
    let first = start(&hub, &for_nodes(&["north"], None, Span::hours(1))).await;
    let second = start(&hub, &for_nodes(&["north"], Some(first.until), Span::hours(1))).await;
    assert_eq!((first.state, second.state), (MaintenanceState::Current, MaintenanceState::Coming));
    for node in [&north, &south] {
        report(node, "facts", full()).await;
    }
    let alarms =
        until("both are alarms", async || Some(of_rule(&hub, "disk.full").await).filter(|alarms| alarms.len() == 2))
            .await;
    let of = |id| alarms.iter().find(|alarm| alarm.node == Some(id)).expect("it has one");
    assert_eq!(of(north.id).maintenance_until, Some(second.until), "one follows on the other");
    assert_eq!((of(south.id).maintenance_until, of(north.id).state), (None, AlarmState::Open));
    let said = hub.sortie(&["alarm", "list", "--node", "north"]).well().stdout;
    assert!(said.to_ascii_lowercase().contains("held until") && said.contains("in 2 h"), "{said}");
    report(&north, "facts", json!({ "data_disk": { "used_percent": 5 } })).await;
    let over = until("it is over", async || {
        let all = of_rule(&hub, "disk.full").await;
        all.into_iter().find(|alarm| alarm.node == Some(north.id) && alarm.state == AlarmState::Resolved)
    })
    .await;
    assert_eq!(over.maintenance_until, None, "nothing of it is held back any more");
}

async fn maintenance_ends_by_itself_or_when_somebody_ends_it(scene: Scene) {
    let clock = HandSet::new(&scene);
    let hub = clock.for_hub(scene.hub()).start().await;
    let node = hub.hand_node("north").await;
    report(&node, "facts", full()).await;
    let held = async || becomes(&hub, "disk.full", AlarmState::Open).await.maintenance_until;
    assert_eq!(held().await, None);
    let said = hub.sortie(&["maintenance", "start", "--all", "--for", "2h", "--reason", "new disks"]).well();
    let id = said.stdout.trim().to_owned();
    let until = held().await.expect("it is in maintenance now");
    clock.ahead(Span::minutes(119));
    assert_eq!(held().await, Some(until));
    clock.ahead(Span::minutes(121));
    assert_eq!(held().await, None, "its time is up");
    assert_eq!(hub.events("maintenance").await.len(), 1, "and nobody was told of that");
    let other = start(&hub, &for_nodes(&[], None, Span::hours(1))).await;
    assert!(held().await.is_some());
    hub.sortie(&["maintenance", "end", &other.id.to_string()]).well();
    assert_eq!(held().await, None);
    // Twice is once.
    hub.sortie(&["maintenance", "end", &other.id.to_string()]).well();
    let told: Vec<String> = hub.events("maintenance").await.into_iter().map(|event| event.kind).collect();
    assert_eq!(told, ["maintenance.started", "maintenance.started", "maintenance.ended"]);
    let all = hub.people().maintenances(&MaintenanceQuery { over: true, ..MaintenanceQuery::default() }).await;
    let all = all.expect("an administrator may").items;
    assert_eq!(all.iter().map(|one| one.id.to_string()).collect::<Vec<_>>(), [other.id.to_string(), id]);
    assert!(all.iter().all(|one| one.state == MaintenanceState::Over));
    assert_eq!((all[0].ended_by.as_deref(), all[1].ended_by.as_deref()), (Some("admin"), None));
    assert!(hub.people().maintenances(&MaintenanceQuery::default()).await.unwrap().items.is_empty());
}

async fn maintenance_is_announced_as_it_must_be(scene: Scene) {
    let hub = scene.hub().start().await;
    hub.hand_node("north").await;
    let good = json!({ "reason": "new disks", "selector": { "names": ["north"] }, "lasts": 60_000 });
    let path = "/api/v1/maintenance";
    for (field, value, at) in [
        ("reason", json!(""), "/reason"),
        ("reason", json!("a\nb"), "/reason"),
        ("lasts", json!(0), "/until"),
        ("lasts", json!(31 * 86_400_000_i64), "/until"),
        ("until", json!(1), "/until"),
        ("selector", json!({}), "/selector"),
        ("selector", json!({ "label": "=x" }), "/selector/label"),
    ] {
        let mut bad = good.clone();
        bad[field] = value;
        let refused = hub.request(Method::POST, path).json(&bad).send().await;
        assert_eq!((refused.status, refused.problem().pointer.as_deref()), (422, Some(at)), "{bad}: {refused:?}");
    }
    let nobody = json!({ "reason": "x", "selector": { "names": ["nroth"] }, "lasts": 60_000 });
    assert_eq!(hub.request(Method::POST, path).json(&nobody).send().await.problem().code.as_str(), "unknown_node");
    let viewer = somebody(&hub, "viewer").await;
    assert_eq!(ask(&hub, &viewer, Method::POST, path, &good).await.status, 403);
    assert_eq!(ask(&hub, &viewer, Method::GET, path, &Value::Null).await.status, 200);
    // The same key is the same maintenance.
    let mut ids = Vec::new();
    for _ in 0..2 {
        let asked = hub.request(Method::POST, path).header("idempotency-key", "once").json(&good);
        ids.push(asked.from(As::Token(hub.admin_token())).send().await.json()["id"].clone());
    }
    assert_eq!(ids[0], ids[1]);
    assert_eq!(hub.people().maintenances(&MaintenanceQuery::default()).await.unwrap().items.len(), 1);
    let gone = hub.request(Method::DELETE, &format!("{path}/{}", uuid::Uuid::now_v7())).send().await;
    assert_eq!(gone.problem().code.as_str(), "unknown_maintenance");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn maintenance_that_is_announced_at_one_hub_holds_at_the_other() {
    let scene = Scene::new(Engine::Postgres);
    let hub = scene.hub().start().await;
    let other = hub.plan().beside("other").start().await;
    let node = hub.hand_node("north").await;
    report(&node, "facts", full()).await;
    assert_eq!(becomes(&other, "disk.full", AlarmState::Open).await.maintenance_until, None);
    let one = start(&hub, &for_nodes(&["north"], None, Span::hours(1))).await;
    let held = async || becomes(&other, "disk.full", AlarmState::Open).await.maintenance_until;
    until("the other knows", async || (held().await == Some(one.until)).then_some(())).await;
    hub.people().end_maintenance(one.id).await.expect("an administrator may");
    until("the other knows that it is over", async || held().await.is_none().then_some(())).await;
}
