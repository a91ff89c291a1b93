//! The rules of orgs and packs: who may change them, and what becomes of what they have raised.

use http::Method;
use serde_json::{Value, json};
use sortie_wire::alarms::{AlarmRuleOrigin, AlarmState, PutAlarmRule};
use sortie_wire::problem::ProblemCode::{FieldInvalid, Forbidden, MalformedBody, UnknownAlarm, UnknownAlarmRule};
use stories::{As, Scene, on_both_engines, on_sqlite};

use crate::help::{alarms, ask, becomes, of_rule, report, set_rule, somebody};

on_both_engines!(
    what_a_rule_has_raised_is_over_when_it_changes_or_goes,
    an_org_s_rules_are_its_own,
    a_known_rule_is_switched_off_and_on_again,
);
on_sqlite!(
    bad_rules_are_refused_with_the_reason,
    who_may_read_events_sees_alarms_and_who_may_change_settings_changes_rules,
    a_pack_brings_rules,
);

fn queue(above: u64) -> Value {
    json!({
        "name": "queue.long", "severity": "warning", "summary": "A queue is long.",
        "facts": { "kind": "queue", "field": "/length", "above": above },
    })
}

async fn what_a_rule_has_raised_is_over_when_it_changes_or_goes(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    set_rule(&hub, queue(10)).await;
    report(&node, "queue", json!({ "length": 11 })).await;
    let first = becomes(&hub, "queue.long", AlarmState::Open).await;
    set_rule(&hub, queue(10)).await;
    assert_eq!(hub.events("alarm_rule.changed").await.len(), 1, "the same again is no change");
    set_rule(&hub, queue(20)).await;
    assert_eq!(becomes(&hub, "queue.long", AlarmState::Resolved).await.id, first.id);
    report(&node, "queue", json!({ "length": 21 })).await;
    let second = becomes(&hub, "queue.long", AlarmState::Open).await;
    assert_ne!(second.id, first.id);
    hub.people().remove_alarm_rule("queue.long").await.expect("an administrator may");
    becomes(&hub, "queue.long", AlarmState::Resolved).await;
    report(&node, "queue", json!({ "length": 99 })).await;
    assert_eq!(of_rule(&hub, "queue.long").await.len(), 2, "nobody judges it any more");
    let events = hub.events("alarm_rule.changed").await;
    let said: Vec<_> = events.iter().map(|event| event.data.clone()).collect();
    let changed = |removed: bool| json!({ "rule": "queue.long", "off": false, "removed": removed });
    assert_eq!(said, [changed(false), changed(false), changed(true)]);
}

async fn an_org_s_rules_are_its_own(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    let stranger = As::Token(hub.sortie(&["org", "create", "elsewhere"]).well().stdout.trim().to_owned());
    set_rule(&hub, queue(10)).await;
    report(&node, "queue", json!({ "length": 11 })).await;
    let ours = becomes(&hub, "queue.long", AlarmState::Open).await;
    let listed = ask(&hub, &stranger, Method::GET, "/api/v1/alarms", &Value::Null).await.json();
    assert_eq!(listed["items"], json!([]));
    let path = format!("/api/v1/alarms/{}", ours.id);
    ask(&hub, &stranger, Method::GET, &path, &Value::Null).await.is_problem(UnknownAlarm, None);
    let rules = ask(&hub, &stranger, Method::GET, "/api/v1/alarm-rules", &Value::Null).await.json();
    let names: Vec<_> = rules["items"].as_array().unwrap().iter().map(|rule| rule["name"].clone()).collect();
    assert!(names.contains(&json!("node.down")) && !names.contains(&json!("queue.long")), "{names:?}");
    let path = "/api/v1/alarm-rules/queue.long";
    ask(&hub, &stranger, Method::DELETE, path, &Value::Null).await.is_problem(UnknownAlarmRule, None);
    assert_eq!(ask(&hub, &stranger, Method::PUT, path, &json!({ "rule": queue(1000) })).await.status, 200);
    report(&node, "queue", json!({ "length": 12 })).await;
    assert_eq!(becomes(&hub, "queue.long", AlarmState::Open).await.id, ours.id, "theirs changes nothing of ours");
}

async fn a_known_rule_is_switched_off_and_on_again(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    let full = json!({ "data_disk": { "used_percent": 99 } });
    report(&node, "facts", full.clone()).await;
    becomes(&hub, "disk.full", AlarmState::Open).await;
    let off = PutAlarmRule { rule: None };
    let rule = hub.people().set_alarm_rule("disk.full", &off).await.expect("an administrator may");
    assert!(rule.off && rule.rule.is_some() && rule.changed_by.as_deref() == Some("admin"), "{rule:?}");
    assert_eq!(rule.origin, AlarmRuleOrigin::Hub);
    becomes(&hub, "disk.full", AlarmState::Resolved).await;
    report(&node, "facts", full.clone()).await;
    assert_eq!(alarms(&hub).await.len(), 1);
    // It stays so when the hub starts anew.
    let hub = hub.kill().await.start().await;
    report(&node, "facts", full.clone()).await;
    assert_eq!(alarms(&hub).await.len(), 1);
    hub.people().remove_alarm_rule("disk.full").await.expect("an administrator may");
    report(&node, "facts", full).await;
    assert_eq!(becomes(&hub, "disk.full", AlarmState::Open).await.seen, 1);
}

async fn bad_rules_are_refused_with_the_reason(scene: Scene) {
    let hub = scene.hub().start().await;
    let put = async |name: &str, body: Value| {
        hub.request(Method::PUT, &format!("/api/v1/alarm-rules/{name}")).json(&body).send().await
    };
    for (rule, said) in [
        (json!({}), "missing field"),
        (json!({ "name": "other", "severity": "info", "summary": "x" }), "nothing begins it"),
        (json!({ "severity": "loud", "summary": "x" }), "critical"),
        (json!({ "severity": "info", "summary": "x", "begins": [{ "kind": "a" }] }), "nothing ends it"),
        (json!({ "severity": "info", "summary": "x", "facts": { "kind": "a", "field": "b", "above": 1 } }), "pointer"),
        (json!({ "severity": "info", "summary": "x", "facts": { "kind": "a", "field": "/b" } }), "compares nothing"),
    ] {
        let problem = put("own", json!({ "rule": rule })).await.is_problem(FieldInvalid, Some("/rule"));
        assert!(problem.detail.contains(said), "{problem:?}");
    }
    let good = json!({ "severity": "info", "summary": "x", "begins": [{ "kind": "a" }], "lasts_s": 9 });
    let mut named = good.clone();
    named["name"] = json!("other");
    let problem = put("own", json!({ "rule": named })).await.is_problem(FieldInvalid, Some("/rule"));
    assert!(problem.detail.contains("calls itself `other`"), "{problem:?}");
    put("Own", json!({ "rule": good })).await.is_problem(FieldInvalid, Some("/name"));
    put("own", json!({})).await.is_problem(MalformedBody, Some(""));
    put("own", json!({ "rule": null })).await.is_problem(UnknownAlarmRule, None);
    assert_eq!(put("own", json!({ "rule": good })).await.status, 200);
    assert!(hub.people().alarm_rules().await.unwrap().items.iter().any(|rule| rule.name == "own"));
}

async fn who_may_read_events_sees_alarms_and_who_may_change_settings_changes_rules(scene: Scene) {
    let hub = scene.hub().start().await;
    let (operator, viewer) = (somebody(&hub, "operator").await, somebody(&hub, "viewer").await);
    let rule = json!({ "rule": queue(1) });
    let path = "/api/v1/alarm-rules/queue.long";
    for who in [&operator, &viewer] {
        assert_eq!(ask(&hub, who, Method::GET, "/api/v1/alarms", &Value::Null).await.status, 200);
        ask(&hub, who, Method::PUT, path, &rule).await.is_problem(Forbidden, None);
        ask(&hub, who, Method::DELETE, path, &Value::Null).await.is_problem(Forbidden, None);
    }
    assert_eq!(ask(&hub, &operator, Method::GET, "/api/v1/alarm-rules", &Value::Null).await.status, 200);
    ask(&hub, &viewer, Method::GET, "/api/v1/alarm-rules", &Value::Null).await.is_problem(Forbidden, None);
    assert_eq!(hub.events("alarm_rule").await.len(), 0);
}

async fn a_pack_brings_rules(scene: Scene) {
    let folder = scene.folder().join("queues");
    std::fs::create_dir(&folder).unwrap();
    let manifest = |above: u64| {
        let text = format!(
            "name = \"queues\"\n\n[[alarms]]\nname = \"queue.long\"\nseverity = \"critical\"\n\
             summary = \"A queue is long.\"\nfacts = {{ kind = \"queue\", field = \"/length\", above = {above} }}\n"
        );
        std::fs::write(folder.join("pack.toml"), text).unwrap();
    };
    manifest(10);
    let plan = scene.hub();
    let packs = plan.data().join("packs");
    std::fs::create_dir_all(&packs).unwrap();
    std::os::unix::fs::symlink(&folder, packs.join("queues")).unwrap();
    let mut hub = plan.start().await;
    let node = hub.hand_node("north").await;
    report(&node, "queue", json!({ "length": 11 })).await;
    becomes(&hub, "queue.long", AlarmState::Open).await;
    let rules = hub.people().alarm_rules().await.unwrap().items;
    let own = rules.iter().find(|rule| rule.name == "queue.long").unwrap();
    assert_eq!((own.origin, own.pack.as_deref(), own.off), (AlarmRuleOrigin::Pack, Some("queues"), false));
    // The pack says otherwise, and what its former rule has raised is over.
    manifest(20);
    hub.process().signal(rustix::process::Signal::HUP);
    becomes(&hub, "queue.long", AlarmState::Resolved).await;
    report(&node, "queue", json!({ "length": 12 })).await;
    assert_eq!(of_rule(&hub, "queue.long").await.len(), 1);
}
