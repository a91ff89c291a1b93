//! What the site does not let.

use serde_json::{Value, json};
use sortie_rules::desired::{ConditionStatus, Standing};
use stories::{Scene, on_sqlite, until};

use crate::help::{condition, file, keeping, publish, stands};

on_sqlite!(
    a_site_that_says_nothing_lets_nothing_be_done,
    no_resource_touches_the_agent_s_own_files_or_the_programs_of_its_policy,
    links_lead_no_resource_out_of_the_roots,
    what_waits_for_something_that_fails_waits,
);

async fn a_site_that_says_nothing_lets_nothing_be_done(scene: Scene) {
    let hub = scene.hub().start().await;
    let people = hub.people();
    let site = hub.site("north").await;
    let _agent = site.start();
    let motd = site.files().join("motd");
    publish(&people, "org", json!({"resources": {"file/motd": file(&motd, "x")}})).await;
    let desired = stands(&people, "north", Standing::Failing).await;
    let (status, reason, _) = condition(&desired, "file/motd");
    assert_eq!((status, reason.as_str()), (ConditionStatus::Refused, "kind_refused"));
    assert!(!motd.exists());
    // The site changes its mind, and nobody has to publish again.
    site.set_policy(&keeping(&site, ""));
    stands(&people, "north", Standing::Converged).await;
    assert!(motd.exists());
}

async fn no_resource_touches_the_agent_s_own_files_or_the_programs_of_its_policy(scene: Scene) {
    let hub = scene.hub().start().await;
    let people = hub.people();
    let site = hub.site("north").await;
    let program = site.files().join("applier");
    std::fs::write(&program, "#!/bin/sh\nexit 0\n").unwrap();
    let appliers = format!("[appliers.\"command/x\"]\ncheck = [{program:?}]\napply = [{program:?}]\n");
    let roots = scene.folder();
    let policy = keeping(&site, &appliers).replace(&format!("{:?}", site.files()), &format!("{roots:?}"));
    site.set_policy(&policy);
    let _agent = site.start();
    let own = site.data();
    let resources: serde_json::Map<String, Value> = [
        ("file/policy", own.join("policy.toml")),
        ("file/key", own.join("node.key")),
        ("file/anything", own.join("anything")),
        ("file/program", program.clone()),
        ("file/above", own.clone()),
    ]
    .into_iter()
    .map(|(key, path)| (key.to_owned(), file(&path, "taken over")))
    .collect();
    let before = std::fs::read_to_string(own.join("policy.toml")).unwrap();
    publish(&people, "org", json!({ "resources": resources })).await;
    let desired = stands(&people, "north", Standing::Failing).await;
    for key in resources.keys() {
        let (status, reason, message) = condition(&desired, key);
        assert!(
            matches!(status, ConditionStatus::Refused | ConditionStatus::Failed),
            "{key}: {status:?} {reason} {message}"
        );
    }
    assert_eq!(std::fs::read_to_string(own.join("policy.toml")).unwrap(), before);
    assert_eq!(std::fs::read_to_string(&program).unwrap(), "#!/bin/sh\nexit 0\n");
    assert!(!own.join("anything").exists());
}

async fn links_lead_no_resource_out_of_the_roots(scene: Scene) {
    let hub = scene.hub().start().await;
    let people = hub.people();
    let site = hub.site("north").await;
    site.set_policy(&keeping(&site, ""));
    let outside = scene.folder().join("outside");
    std::fs::create_dir(&outside).unwrap();
    std::fs::write(outside.join("file"), "theirs").unwrap();
    std::os::unix::fs::symlink(&outside, site.files().join("folder")).unwrap();
    std::os::unix::fs::symlink(outside.join("file"), site.files().join("link")).unwrap();
    let _agent = site.start();
    publish(
        &people,
        "org",
        json!({"resources": {
            "file/by-folder": file(&site.files().join("folder/file"), "ours"),
            "file/new-by-folder": file(&site.files().join("folder/new"), "ours"),
            "file/outside": file(&outside.join("file"), "ours"),
            "file/link": file(&site.files().join("link"), "ours"),
        }}),
    )
    .await;
    until("all was looked at", async || {
        let desired = people.node_desired("north").await.unwrap();
        desired.observed?.observed.looked_at.map(drop)
    })
    .await;
    assert_eq!(std::fs::read_to_string(outside.join("file")).unwrap(), "theirs");
    assert!(!outside.join("new").exists());
    let desired = stands(&people, "north", Standing::Failing).await;
    for key in ["file/by-folder", "file/new-by-folder", "file/outside"] {
        let (status, reason, message) = condition(&desired, key);
        assert_ne!(status, ConditionStatus::InOrder, "{key}: {reason} {message}");
    }
}

async fn what_waits_for_something_that_fails_waits(scene: Scene) {
    let hub = scene.hub().start().await;
    let people = hub.people();
    let site = hub.site("north").await;
    site.set_policy(&keeping(&site, ""));
    let _agent = site.start();
    let late = site.files().join("late");
    let mut after = file(&late, "x");
    after["after"] = json!(["file/never"]);
    let never = file(std::path::Path::new("/nowhere/that/is/listed"), "x");
    publish(&people, "org", json!({"resources": {"file/late": after, "file/never": never}})).await;
    let desired = stands(&people, "north", Standing::Failing).await;
    assert_eq!(condition(&desired, "file/late").0, ConditionStatus::Waiting);
    assert!(!late.exists());
}
