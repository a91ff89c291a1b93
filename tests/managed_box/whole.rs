//! A box from an empty machine to what it should be, and back after its disk was wiped: by what people meant and what
//! lies in the backup, and by nothing that the box has ever reported.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use sortie_rules::desired::{Standing, Standing::Converged};
use sortie_rules::tasks::Status;
use stories::{RunningAgent, RunningHub, Scene, Site, on_both_engines, until};

use crate::help::{PASSWORD, Places, backed_up, hub, policy, publish, reported, result, stands};

on_both_engines!(a_box_comes_from_nothing_to_what_it_should_be_and_back_after_its_disk_was_wiped);

const DISK: &str = "ata-DISK_4712";

async fn a_box_comes_from_nothing_to_what_it_should_be_and_back_after_its_disk_was_wiped(scene: Scene) {
    let hub = hub(&scene).await;
    let people = hub.people();
    let places = Places::of(&scene, &Site::new(&scene, "box"));
    let disk = Disk::new(&places);
    // What is meant, before there is any box: for all, for the homes, and for this one.
    let service = places.etc.join("box.yaml");
    let config = json!({"port": 8080, "backup": {"hour": 2}, "password": {"$secret": "backup-password"}});
    publish(
        &people,
        "org",
        json!({"resources": {
            "directory/state": {"spec": {"path": places.etc.join("state"), "mode": "0750"}},
            "file/config": {"spec": {"path": service, "format": "yaml", "data": config}},
        }}),
    )
    .await;
    hub.sortie(&["site", "put", "homes"]).well();
    publish(&people, "site:homes", json!({"resources": {"file/config": {"spec": {"data": {"backup": {"hour": 3}}}}}}))
        .await;
    let site = enrolled(&hub, &scene, &places, &["--site", "homes"]);
    let agent = site.start();
    publish(&people, "node:box", own(&places)).await;
    let first = stands(&people, "box", Converged).await;
    let expected = format!("backup:\n  hour: 3\nname: \"box\"\npassword: \"{PASSWORD}\"\nport: 8080\n");
    assert_eq!(std::fs::read_to_string(&service).unwrap(), expected);
    // The service has read what was generated for it.
    reads(&places, &expected).await;
    // A guest beside it: a key and a state of its own.
    let (at_guest, guest) = guest(&hub, &scene).await;
    stands(&people, "cloud", Converged).await;
    assert_eq!(std::fs::read_to_string(&at_guest).unwrap(), "name = \"cloud\"\n");
    std::fs::write(places.data.join("letter"), "dear all").unwrap();
    let backup = result(&hub, "backup.run", json!({"target": "home"})).await;
    until("the backup is reported", async || {
        (reported(&people, "backup", "home").await?["last"]["snapshot"] == backup["snapshot"]).then_some(())
    })
    .await;
    let before = contents(&places);
    // The box is lost: its agent with everything it kept, its files, and what was on its disk. And no report is left.
    agent.kill().await;
    disk.wipe();
    for folder in [site.data(), site.files()] {
        std::fs::remove_dir_all(folder).unwrap();
    }
    hub.plan().sql("delete from reports");
    assert_eq!(reported(&people, "backup", "home").await, None);
    let lost_at = people.whoami().await.unwrap().now;
    let site = enrolled(&hub, &scene, &places, &["--replace"]);
    let _agent = site.start();
    let again = until("it is what it was meant to be", async || {
        let desired = people.node_desired("box").await.unwrap();
        let found = desired.observed.as_ref()?;
        let is_news = found.heard_at > lost_at && found.observed.generation == desired.generation;
        (is_news && found.standing == Converged).then_some(desired)
    })
    .await;
    assert_eq!(again.state, first.state, "nobody meant anything else");
    reads(&places, &expected).await;
    assert_eq!(contents(&places), before);
    assert!(!places.data.join("letter").exists());
    let restored = result(&hub, "backup.restore", json!({"target": "home", "into": places.restored})).await;
    let into = places.restored.join(restored["snapshot"].as_str().unwrap());
    let letter = into.join(places.data.strip_prefix("/").unwrap()).join("letter");
    assert_eq!(std::fs::read_to_string(letter).unwrap(), "dear all");
    // Its guest has not noticed, and lives where it lived.
    assert_eq!(hub.sortie_json(&["node", "show", "cloud"])["host"], "box");
    let task = hub.ended(hub.submit("cloud", "sys.info", json!({})).await).await;
    assert_eq!(task.summary.status, Status::Completed);
    stands(&people, "cloud", Standing::Converged).await;
    drop(guest);
}

/// What is meant for this box alone.
fn own(places: &Places) -> Value {
    let mut resources = backed_up(places);
    let more = json!({
        "file/config": {"spec": {"data": {"name": "box"}}},
        "storage.policy/main": {"spec": {
            "durable_id": DISK, "use": "data", "mount": places.data, "format": "if_blank",
        }},
        "service/reader": {"spec": {"service": "reader", "state": "running"}, "after": ["file/config"]},
    });
    for (key, resource) in more.as_object().expect("an object") {
        resources[key] = resource.clone();
    }
    json!({ "resources": resources })
}

/// Makes the machine's own part anew and enrols its agent as the box: what a person does at a site.
fn enrolled<'s>(hub: &RunningHub<'_>, scene: &'s Scene, places: &Places, words: &[&str]) -> Site<'s> {
    let site = Site::new(scene, "box");
    places.make();
    let reader = site.files().join("reader");
    std::fs::write(&reader, "#!/bin/sh\ncat \"$1/box.yaml\" > \"$1/read\" && exec sleep 100000\n").unwrap();
    let allow = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&reader, allow).unwrap();
    let more = format!(
        "\n[desired_services.programs.reader]\nprogram = {reader:?}\nargs = [{:?}]\n",
        places.etc.display().to_string()
    );
    let policy = policy(places, &more).replace("\"directory\", ", "\"directory\", \"service\", ");
    let roots = format!("roots = [{:?}]", places.etc);
    assert!(policy.contains(&roots));
    let both = format!("roots = [{:?}, {:?}]", places.etc, places.mounts);
    site.set_policy(&policy.replace(&roots, &both));
    let create = [&["invite", "create", "--node", "box"], words].concat();
    site.enroll(hub.sortie(&create).well().stdout.trim()).well();
    site
}

/// A guest of the box: the file that it shall have, and its agent.
async fn guest(hub: &RunningHub<'_>, scene: &Scene) -> (PathBuf, RunningAgent) {
    let site = Site::new(scene, "cloud");
    let roots = site.files();
    site.set_policy(&format!(
        "allow = [\"sys.info\"]\n[desired]\nkinds = [\"file\"]\nlook_every_s = 1\n\
         [desired_files]\nroots = [{roots:?}]\n"
    ));
    let invite = hub.sortie(&["invite", "create", "--node", "cloud", "--host", "box"]).well().stdout;
    site.enroll(invite.trim()).well();
    let agent = site.start();
    let path = roots.join("cloud.toml");
    let data = json!({"spec": {"path": path, "format": "toml", "data": {"name": "cloud"}}});
    // What holds for every node of the org is for hosts; a guest leaves it out.
    let state = json!({"resources": {"file/cloud": data, "file/config": null, "directory/state": null}});
    publish(&hub.people(), "node:cloud", state).await;
    (path, agent)
}

/// Waits until the service has read this.
async fn reads(places: &Places, expected: &str) {
    let read = places.etc.join("read");
    until("the service has read its configuration", async || {
        (std::fs::read_to_string(&read).ok()? == expected).then_some(())
    })
    .await;
}

/// What the hub has placed at the box.
fn contents(places: &Places) -> Vec<(String, String)> {
    let mut found: Vec<_> = std::fs::read_dir(&places.etc)
        .unwrap()
        .flatten()
        .map(|entry| {
            let is_folder = entry.path().is_dir();
            let text = if is_folder { String::new() } else { std::fs::read_to_string(entry.path()).unwrap() };
            (entry.file_name().to_string_lossy().into_owned(), text)
        })
        .collect();
    found.sort();
    found
}

/// The box's disk: a file, which the kernel mounts as it does disks.
struct Disk {
    file: PathBuf,
    mounted: PathBuf,
}

impl Disk {
    fn new(places: &Places) -> Disk {
        places.make();
        let disk = Disk { file: places.disks.with_file_name("disk"), mounted: places.data.clone() };
        disk.blank();
        std::os::unix::fs::symlink(&disk.file, places.disks.join(DISK)).unwrap();
        disk
    }

    fn blank(&self) {
        std::fs::File::create(&self.file).unwrap().set_len(16 << 20).unwrap();
    }

    fn wipe(&self) {
        assert!(is_mounted(&self.mounted), "the policy had it mounted");
        assert!(Command::new("umount").arg(&self.mounted).status().unwrap().success());
        std::fs::remove_file(&self.file).unwrap();
        self.blank();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _not_mounted = Command::new("umount").arg("--lazy").arg(&self.mounted).output();
    }
}

fn is_mounted(place: &Path) -> bool {
    let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap();
    mounts.lines().any(|line| line.split(' ').nth(1) == place.to_str())
}
