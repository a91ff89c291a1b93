//! What somebody is told who writes a state: what does not fit, whose fault it is, who else lives by a secret.

use std::path::Path;

use serde_json::{Value, json};
use stories::{Ended, RunningHub, Scene, on_sqlite};

use crate::help::publish;

on_sqlite!(
    what_does_not_fit_is_told_with_its_place_its_value_and_the_next_step,
    a_secret_that_layers_use_gets_no_other_value_unasked,
    two_policies_for_one_disk_are_refused,
);

/// Publishes this for the org as somebody would, from a file.
fn publish_file(hub: &RunningHub<'_>, scene: &Scene, state: &Value) -> Ended {
    let file = scene.folder().join("state.json");
    std::fs::write(&file, state.to_string()).unwrap();
    let file = file.display().to_string();
    hub.sortie(&["state", "publish", "org", "--file", &file, "-m", "as the story wants it", "--yes"])
}

async fn what_does_not_fit_is_told_with_its_place_its_value_and_the_next_step(scene: Scene) {
    let hub = scene.hub().start().await;
    let of = |spec: Value| json!({"resources": {"file/a": {"spec": spec}}});
    let refused = publish_file(&hub, &scene, &of(json!({"path": "/a", "mode": "rw"})));
    refused.failed(3, &["file/a: spec.mode: \"rw\" does not match", "four octal digits", "`sortie state kinds file`"]);
    assert!(!refused.stderr.contains("/state/resources"), "the place is said once, in words: {refused:?}");
    publish_file(&hub, &scene, &of(json!({"path": "/a", "ensure": "gone"})))
        .failed(3, &["file/a: spec.ensure: \"gone\" is none of \"present\", \"absent\""]);
    publish_file(&hub, &scene, &of(json!({"pth": "/a"}))).failed(3, &["file/a: spec: ", "file"]);
    let circle = json!({"resources": {
        "file/a": {"spec": {"path": "/a"}, "after": ["file/b"]},
        "file/b": {"spec": {"path": "/b"}, "after": ["file/a"]},
    }});
    publish_file(&hub, &scene, &circle).failed(3, &["file/a -> file/b -> file/a"]);
    let kind = hub.sortie(&["state", "kinds", "file"]).well().stdout;
    assert!(kind.contains("four octal digits") && kind.contains("\"mode\""), "{kind}");
    assert_eq!(hub.sortie_json(&["state", "kinds", "file"])["name"], "file");
    hub.sortie(&["state", "kinds", "flie"]).failed(2, &["no resource kind `flie`", "file"]);
}

async fn a_secret_that_layers_use_gets_no_other_value_unasked(scene: Scene) {
    let hub = scene.hub().start().await;
    let _site = hub.site("north").await;
    let people = hub.people();
    let set = |value: &str, more: &[&str]| {
        let file = scene.folder().join("value");
        std::fs::write(&file, value).unwrap();
        let words = [&["secret", "set", "wifi-key"], more].concat();
        Ended::of(hub.command(&words).stdin(std::fs::File::open(&file).unwrap()))
    };
    assert!(set("one\n", &[]).well().stderr.contains("version 1"), "nobody knows it yet");
    assert!(set("two\n", &[]).well().stderr.contains("version 2"), "nobody uses it yet");
    let state = json!({"resources": {"file/key": {"spec": {"path": "/key", "content": {"$secret": "wifi-key"}}}}});
    for layer in ["org", "node:north"] {
        publish(&people, layer, state.clone()).await;
    }
    set("hunter22\n", &[]).failed(2, &["used by node:north, org", "version 2", "--yes"]);
    assert_eq!(people.secret("wifi-key").await.unwrap().version, 2, "and nothing was done");
    assert!(set("three\n", &["--yes"]).well().stderr.contains("version 3"));
    for layer in ["org", "node:north"] {
        publish(&people, layer, json!({})).await;
    }
    assert!(set("four\n", &[]).well().stderr.contains("version 4"), "nobody uses it any more");
}

async fn two_policies_for_one_disk_are_refused(scene: Scene) {
    let pack = Path::new(env!("CARGO_MANIFEST_DIR")).join("../packs/managed-box");
    let hub = scene.hub().setting("packs", format!("[{pack:?}]")).start().await;
    let policy = |disk: &str, mount: &str| json!({"spec": {"durable_id": disk, "use": "data", "mount": mount}});
    let two = |disk: &str| {
        json!({"resources": {
            "storage.policy/a": policy("ata-DISK_1", "/srv/a"), "storage.policy/b": policy(disk, "/srv/b"),
        }})
    };
    publish_file(&hub, &scene, &two("ata-DISK_1"))
        .failed(3, &["`storage.policy/a` and `storage.policy/b`", "`spec.durable_id`", "at     storage.policy/b"]);
    publish_file(&hub, &scene, &two("ata-DISK_2")).well();
}
