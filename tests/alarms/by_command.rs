//! `sortie alarm`, as someone at a terminal would.

use serde_json::json;
use sortie_wire::alarms::AlarmState;
use stories::{Scene, on_sqlite};

use crate::help::{becomes, report};

on_sqlite!(
    alarms_are_listed_narrowed_and_shown,
    rules_are_listed_made_switched_off_and_taken_back,
    what_is_typed_wrongly_is_told,
);

async fn alarms_are_listed_narrowed_and_shown(scene: Scene) {
    let hub = scene.hub().start().await;
    let (north, south) = (hub.hand_node("north").await, hub.hand_node("south").await);
    let none = hub.sortie(&["alarm", "list"]).well();
    assert!(none.stdout.is_empty() && none.stderr.contains("No alarm is open"), "{none:?}");
    for node in [&north, &south] {
        report(node, "facts", json!({ "data_disk": { "used_percent": 97 } })).await;
    }
    report(&south, "facts", json!({ "data_disk": { "used_percent": 7 } })).await;
    becomes(&hub, "disk.full", AlarmState::Resolved).await;
    let listed = hub.sortie(&["alarm", "list"]).well().stdout;
    assert!(listed.contains("north") && listed.contains("disk.full") && !listed.contains("south"), "{listed}");
    assert_eq!(hub.sortie_json(&["alarm", "list", "--all"])["items"].as_array().unwrap().len(), 2);
    let count = |words: &[&str]| hub.sortie_json(words)["items"].as_array().unwrap().len();
    assert_eq!(count(&["alarm", "list", "--node", "south"]), 0);
    assert_eq!(count(&["alarm", "list", "--node", "south", "--all"]), 1);
    assert_eq!(count(&["alarm", "list", "--state", "resolved"]), 1);
    assert_eq!(count(&["alarm", "list", "--severity", "critical", "--all"]), 0);
    assert_eq!(count(&["alarm", "list", "--rule", "disk.full", "--all"]), 2);
    let id = hub.sortie_json(&["alarm", "list"])["items"][0]["id"].as_str().unwrap().to_owned();
    let shown = hub.sortie(&["alarm", "show", &id]).well();
    assert!(shown.stdout.contains("disk.full") && shown.stdout.contains("97"), "{shown:?}");
    assert!(shown.stderr.contains("nearly full"), "{shown:?}");
    assert_eq!(hub.sortie_json(&["alarm", "show", &id])["state"], json!("open"));
}

async fn rules_are_listed_made_switched_off_and_taken_back(scene: Scene) {
    let hub = scene.hub().start().await;
    let file = scene.folder().join("rule.toml");
    let text = "name = \"own\"\nseverity = \"info\"\nsummary = \"It is so.\"\nbegins = [{ kind = \"task.failed\" }]\n\
                lasts_s = 60\n";
    std::fs::write(&file, text).unwrap();
    let set = hub.sortie(&["alarm", "rule", "set", file.to_str().unwrap()]).well();
    assert!(set.stderr.contains("`own` holds"), "{set:?}");
    let off = hub.sortie(&["alarm", "rule", "off", "node.stale"]).well();
    assert!(off.stderr.contains("`node.stale` is off"), "{off:?}");
    let listed = hub.sortie(&["alarm", "rules"]).well().stdout;
    let line = |name: &str| listed.lines().find(|line| line.starts_with(name)).expect("it is listed").to_owned();
    assert!(line("own").contains("your org") && line("own").contains("It is so."), "{listed}");
    assert!(line("node.stale").contains("off") && line("node.stale").contains("the hub"), "{listed}");
    assert!(line("node.down").contains(" on "), "{listed}");
    for name in ["own", "node.stale"] {
        hub.sortie(&["alarm", "rule", "remove", name]).well();
    }
    let listed = hub.sortie(&["alarm", "rules"]).well().stdout;
    assert!(!listed.contains("your org") && !listed.contains(" off "), "{listed}");
    std::fs::write(&file, json!({ "name": "own", "severity": "info", "summary": "x" }).to_string()).unwrap();
    hub.sortie(&["alarm", "rule", "set", file.to_str().unwrap()]).failed(3, &["nothing begins it", "/rule"]);
}

async fn what_is_typed_wrongly_is_told(scene: Scene) {
    let hub = scene.hub().start().await;
    hub.sortie(&["alarm", "show", "nonsense"]).failed(2, &["not an alarm id", "nonsense"]);
    let unknown = "01980c5e-7d1a-7c3e-9b7e-0123456789ab";
    hub.sortie(&["alarm", "show", unknown]).failed(3, &["no such alarm", "unknown_alarm (404)"]);
    hub.sortie(&["alarm", "rule", "remove", "own"]).failed(3, &["unknown_alarm_rule (404)"]);
    hub.sortie(&["alarm", "rule", "off", "own"]).failed(3, &["switched off"]);
    hub.sortie(&["alarm", "rule", "set", "/nonexistent"]).failed(2, &["cannot be read"]);
    let file = scene.folder().join("rule.toml");
    std::fs::write(&file, "severity = \n").unwrap();
    hub.sortie(&["alarm", "rule", "set", file.to_str().unwrap()]).failed(2, &["holds no rule", "line 1"]);
    std::fs::write(&file, "severity = \"info\"\n").unwrap();
    hub.sortie(&["alarm", "rule", "set", file.to_str().unwrap()]).failed(2, &["names no rule"]);
    hub.sortie(&["alarm", "list", "--severity", "loud"]).failed(2, &["critical"]);
    hub.sortie(&["alarm", "list", "--node", "nowhere"]).failed(3, &["nowhere"]);
}
