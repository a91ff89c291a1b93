//! Two agents with one identity, as a copied or a restored disk makes them.

use std::path::Path;

use serde_json::json;
use stories::{RunningHub, Scene, Site, on_sqlite, until};

on_sqlite!(
    a_copied_data_folder_is_noticed_and_neither_gets_tasks_until_an_operator_decides,
    an_invite_with_another_key_decides_between_two_for_good,
    a_folder_restored_from_an_older_copy_is_noticed_and_goes_on_when_an_operator_says_so,
    a_data_folder_serves_one_agent_at_a_time,
);

async fn a_copied_data_folder_is_noticed_and_neither_gets_tasks_until_an_operator_decides(scene: Scene) {
    let hub = scene.hub().start().await;
    let site = hub.site("north").await;
    let original = site.start();
    work(&hub, &site, "first").await;
    let copy = Site::new(&scene, "copy");
    copy_folder(&site.data(), &copy.data());
    let copy = copy.setting("log_level", "debug");
    let second = copy.start();
    let told = |site: &Site<'_>| site.log().contains("another agent speaks for this node");
    until("both are told", async || (told(&site) && told(&copy)).then_some(())).await;
    assert_eq!(hub.events("node.quarantined").await.len(), 1, "people are told once");
    until("it has asked again", async || copy.log().contains("the node is quarantined still").then_some(())).await;
    assert_eq!(copy.log().matches("another agent speaks for this node").count(), 1, "and so is whoever reads the log");
    let shown = hub.people().node("north").await.unwrap();
    assert!(shown.quarantined_at.is_some());
    assert!(hub.sortie(&["node", "list"]).well().stdout.contains("quarantined"));
    // Each of the two has files of its own, and the policy of the copy names the original's.
    let path = site.files().join("journal");
    let id = hub.submit("north", "file.append", json!({ "path": path, "line": "second" })).await;
    // The operator finds two, stops one of them for good, and lets the other go on.
    second.kill().await;
    assert_eq!(hub.task(id).await.summary.status.as_str(), "pending", "it waits for the decision");
    hub.sortie(&["node", "readmit", "north"]).well();
    assert_eq!(hub.ended(id).await.summary.status.as_str(), "completed");
    assert_eq!(site.lines("journal"), ["first", "second"], "each is done once");
    assert_eq!(hub.events("node.readmitted").await.len(), 1);
    // The other comes in with an invite of its own.
    let copy = Site::new(&scene, "copy-anew");
    copy.enroll(&hub.invite("south").await).well();
    let _copy = copy.start();
    let id = hub.submit("south", "sys.info", json!({})).await;
    assert_eq!(hub.ended(id).await.summary.status.as_str(), "completed");
    drop(original);
}

async fn an_invite_with_another_key_decides_between_two_for_good(scene: Scene) {
    let hub = scene.hub().start().await;
    let site = hub.site("north").await;
    let _original = site.start();
    work(&hub, &site, "first").await;
    let copy = Site::new(&scene, "copy");
    copy_folder(&site.data(), &copy.data());
    let _second = copy.start();
    until("it is quarantined", async || hub.people().node("north").await.unwrap().quarantined_at).await;
    let fresh = Site::new(&scene, "fresh");
    let invite = json!({ "node": "north", "replace": true });
    let invite = hub.request(http::Method::POST, "/api/v1/invites").json(&invite).send().await.json();
    fresh.enroll(invite["invite"].as_str().unwrap()).well();
    let _fresh = fresh.start();
    let id = hub.submit("north", "sys.info", json!({})).await;
    assert_eq!(hub.ended(id).await.summary.status.as_str(), "completed");
    let out = |site: &Site<'_>| site.log().contains("the hub does not take this node any more");
    until("both are shut out", async || (out(&site) && out(&copy)).then_some(())).await;
    assert_eq!(hub.people().node("north").await.unwrap().quarantined_at, None);
}

async fn a_folder_restored_from_an_older_copy_is_noticed_and_goes_on_when_an_operator_says_so(scene: Scene) {
    let hub = scene.hub().start().await;
    let site = hub.site("north").await;
    let agent = site.start();
    work(&hub, &site, "first").await;
    agent.stop().await;
    let backup = Site::new(&scene, "backup");
    copy_folder(&site.data(), &backup.data());
    let agent = site.start();
    work(&hub, &site, "second").await;
    work(&hub, &site, "third").await;
    agent.kill().await;
    std::fs::remove_dir_all(site.data()).expect("a folder can be removed");
    copy_folder(&backup.data(), &site.data());
    let _agent = site.start();
    until("it is told", async || site.log().contains("restored from an older copy").then_some(())).await;
    assert_eq!(site.lines("journal"), ["first", "second", "third"], "nothing was done again");
    hub.people().readmit_node("north").await.unwrap();
    work(&hub, &site, "fourth").await;
    assert_eq!(site.lines("journal"), ["first", "second", "third", "fourth"], "nor is it now");
    assert_eq!(hub.events("node.quarantined").await.len(), 1);
}

async fn a_data_folder_serves_one_agent_at_a_time(scene: Scene) {
    let hub = scene.hub().start().await;
    let site = hub.site("north").await;
    let _agent = site.start();
    work(&hub, &site, "first").await;
    let mut second = site.start();
    assert_eq!(second.process.end().await.code(), Some(2));
    let log = site.log();
    assert!(log.contains("another agent is running on") && log.contains("stop it first"), "{log}");
    work(&hub, &site, "second").await;
}

async fn work(hub: &RunningHub<'_>, site: &Site<'_>, line: &str) {
    let path = site.files().join("journal");
    let id = hub.submit(site.name(), "file.append", json!({ "path": path, "line": line })).await;
    assert_eq!(hub.ended(id).await.summary.status.as_str(), "completed");
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder can be made");
    for entry in std::fs::read_dir(from).expect("a folder can be read") {
        let entry = entry.expect("an entry can be read");
        let (here, there) = (entry.path(), to.join(entry.file_name()));
        if here.is_dir() {
            copy_folder(&here, &there);
        } else {
            std::fs::copy(&here, &there).expect("a file can be copied");
        }
    }
}
