//! Two agents with one identity, as a copied or a restored disk makes them.

use std::path::Path;

use serde_json::json;
use stories::{RunningHub, Scene, Site, on_sqlite, until};

on_sqlite!(
    a_copied_data_folder_is_noticed_and_one_of_the_two_goes_on,
    a_folder_restored_from_an_older_copy_is_noticed,
    a_data_folder_serves_one_agent_at_a_time,
);

async fn a_copied_data_folder_is_noticed_and_one_of_the_two_goes_on(scene: Scene) {
    let hub = scene.hub().start().await;
    let site = hub.site("north").await;
    let original = site.start();
    work(&hub, &site, "first").await;
    let copy = Site::new(&scene, "copy");
    copy_folder(&site.data(), &copy.data());
    let _second = copy.start();
    let told = until("one of them is told", async || {
        let told = |site: &Site<'_>| site.log().contains("another agent speaks for this node");
        [&site, &copy].into_iter().find(|site| told(site)).map(Site::name)
    })
    .await;
    assert!(!hub.events("node.forked").await.is_empty(), "people are told");
    // Each of the two has files of its own, and the policy of the copy names the original's.
    work(&hub, &site, "second").await;
    assert_eq!(site.lines("journal"), ["first", "second"], "each is done once; {told} was shut out");
    drop(original);
}

async fn a_folder_restored_from_an_older_copy_is_noticed(scene: Scene) {
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
