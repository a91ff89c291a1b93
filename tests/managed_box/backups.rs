//! Backups by a real restic, as tasks of the box.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use sortie_rules::desired::Standing;
use sortie_rules::tasks::Status;
use sortie_rules::time::{Millis, Span};
use sortie_wire::alarms::{AlarmQuery, AlarmState};
use sortie_wire::backups::PutBackupDeadline;
use sortie_wire::jobs::Selector;
use sortie_wire::secrets::WriteSecret;
use stories::{HandSet, RunningAgent, RunningHub, Scene, Site, looks_again, now, on_sqlite, until};

use crate::help::{PASSWORD, Places, backed_up, done, failure, hub, pack, policy, publish, reported, result, stands};

on_sqlite!(
    a_target_is_backed_up_looked_at_and_brought_back,
    what_the_site_does_not_let_is_not_done,
    what_stands_in_the_way_of_a_backup_is_said_with_what_to_do,
    a_repository_that_cannot_be_reached_is_not_told_as_none,
    a_backup_that_is_not_done_by_its_deadline_is_missed_until_it_is_done,
    a_backup_that_is_called_off_leaves_no_lock,
    a_backup_that_was_cut_with_its_agent_is_done_after_its_start,
);

/// What restic asks whenever it cannot open a repository.
const ASKED: &str = "Is there a repository at the following location?";

/// A box that is backed up, converged.
async fn a_box<'s>(scene: &'s Scene, hub: &RunningHub<'s>) -> (Site<'s>, Places, RunningAgent) {
    let site = hub.site("box").await;
    let places = Places::of(scene, &site);
    places.make();
    site.set_policy(&policy(&places, ""));
    let agent = site.start();
    publish(&hub.people(), "node:box", json!({ "resources": backed_up(&places) })).await;
    stands(&hub.people(), "box", Standing::Converged).await;
    (site, places, agent)
}

async fn a_target_is_backed_up_looked_at_and_brought_back(scene: Scene) {
    let hub = hub(&scene).await;
    let people = hub.people();
    let (site, places, _agent) = a_box(&scene, &hub).await;
    std::fs::write(places.data.join("letter"), "dear all").unwrap();
    std::fs::write(places.data.join("scratch.tmp"), "x").unwrap();
    until("it is told that there is none yet", async || {
        (reported(&people, "backup", "home").await? == json!({"last": null})).then_some(())
    })
    .await;
    let first = result(&hub, "backup.run", json!({"target": "home"})).await;
    assert_eq!((&first["files"], &first["bytes"], &first["target"]), (&json!(1), &json!(8), &json!("home")));
    std::fs::write(places.data.join("letter"), "dear all of you").unwrap();
    let second = result(&hub, "backup.run", json!({"target": "home"})).await;
    let last = until("the newest is told", async || {
        let facts = reported(&people, "backup", "home").await?;
        (facts["last"]["snapshot"] == second["snapshot"]).then_some(facts)
    })
    .await;
    assert!(last["last"]["taken_ms"].as_i64().is_some_and(|at| at > 1_700_000_000_000), "{last}");
    let looked = result(&hub, "backup.check", json!({"target": "home", "read_percent": 100})).await;
    assert_eq!(looked["snapshot"], second["snapshot"]);
    // The newest, the one before it, each into a folder of its own, and the newest once more.
    let newest = json!({"target": "home", "into": places.restored});
    for (payload, holds) in [
        (newest.clone(), "dear all of you"),
        (json!({"target": "home", "into": places.restored, "snapshot": first["snapshot"]}), "dear all"),
        (newest, "dear all of you"),
    ] {
        let restored = result(&hub, "backup.restore", payload).await;
        let into = places.restored.join(restored["snapshot"].as_str().unwrap());
        assert_eq!(restored["into"], json!(into));
        assert_eq!(into.metadata().unwrap().permissions().mode() & 0o777, 0o700, "for nobody else to put links there");
        let letter = into.join(places.data.strip_prefix("/").unwrap()).join("letter");
        assert_eq!(std::fs::read_to_string(&letter).unwrap(), holds, "{restored}");
        assert!(!letter.with_file_name("scratch.tmp").exists());
    }
    assert!(locks(&places.backup.join("box")).is_empty());
    for told in [hub.log(), site.log(), format!("{:?}", hub.events("").await)] {
        assert!(!told.contains(PASSWORD), "{told}");
    }
}

async fn what_the_site_does_not_let_is_not_done(scene: Scene) {
    let hub = hub(&scene).await;
    let (site, places, _agent) = a_box(&scene, &hub).await;
    let made = result(&hub, "backup.run", json!({"target": "home"})).await;
    std::os::unix::fs::symlink("/", places.restored.with_file_name("out")).unwrap();
    std::fs::create_dir_all(&places.restored).unwrap();
    std::os::unix::fs::symlink(site.data(), places.restored.join("way-out")).unwrap();
    for into in [site.data(), places.data.clone(), places.restored.join("way-out/x")] {
        let said = failure(&hub, "backup.restore", json!({"target": "home", "into": into})).await;
        assert!(said.contains("does not let anything be restored into"), "{said}");
    }
    // Nor is anything written through a link that lies where a snapshot goes.
    let snapshot = made["snapshot"].as_str().unwrap();
    std::os::unix::fs::symlink(site.data(), places.restored.join(snapshot)).unwrap();
    let payload = json!({"target": "home", "into": places.restored, "snapshot": snapshot});
    let said = failure(&hub, "backup.restore", payload).await;
    assert!(said.contains("is a link") && said.contains("remove it"), "{said}");
    // A hub that does not hold its payloads against the schema gives restic no options either.
    for snapshot in ["--help", "latest", "../x", ""] {
        let payload = json!({"target": "home", "into": places.restored, "snapshot": snapshot});
        let said = by_hand(&places, &payload);
        assert!(said.contains("is no id of a snapshot"), "{snapshot}: {said}");
    }
    let target = |paths: &[&Path], repository: &Path| {
        let mut resources = backed_up(&places);
        let target = &mut resources["file/backup-targets"]["spec"]["data"]["targets"]["home"];
        target["paths"] = json!(paths);
        target["repository"] = json!(repository);
        json!({ "resources": resources })
    };
    let (own, good) = (places.backup.join("box"), places.data.clone());
    for (state, said) in [
        (target(&[&site.data()], &own), "be backed up"),
        (target(&[&good, &places.data.join("../../../agent")], &own), "be backed up"),
        (target(&[&good], &places.etc), "be kept where it says"),
        (target(&[&good], Path::new("rclone:somewhere")), "be kept where it says"),
        (target(&[&good], &places.backup.join("../elsewhere2")), "be kept where it says"),
    ] {
        publish(&hub.people(), "node:box", state).await;
        stands(&hub.people(), "box", Standing::Converged).await;
        let found = failure(&hub, "backup.run", json!({"target": "home"})).await;
        assert!(found.contains(said), "{found}");
    }
    let said = failure(&hub, "backup.run", json!({"target": "other"})).await;
    assert!(said.contains("no target `other`") && said.contains("home"), "{said}");
}

async fn what_stands_in_the_way_of_a_backup_is_said_with_what_to_do(scene: Scene) {
    let hub = hub(&scene).await;
    let (_site, places, _agent) = a_box(&scene, &hub).await;
    let home = json!({"target": "home"});
    // Its disk is full.
    let full = Mounted::small(&places.backup);
    let noise: Vec<u8> =
        std::iter::successors(Some(1_u32), |n| Some(n.wrapping_mul(1_664_525).wrapping_add(1_013_904_223)))
            .map(|n| n.to_be_bytes()[0])
            .take(6 << 20)
            .collect();
    std::fs::write(places.data.join("noise"), noise).unwrap();
    let said = failure(&hub, "backup.run", home.clone()).await;
    assert!(said.contains("is full") && said.contains("restic forget --prune"), "{said}");
    drop(full);
    let made = result(&hub, "backup.run", home.clone()).await;
    assert_eq!(made["files"], json!(1));
    // Its password is another, or anybody's.
    let elsewhere = publish_with(&hub, &places, |resources| {
        resources["file/backup-password"]["spec"]["content"] = json!("another");
    });
    elsewhere.await;
    let said = failure(&hub, "backup.run", home.clone()).await;
    assert!(said.contains("does not open the repository"), "{said}");
    publish_with(&hub, &places, |resources| resources["file/backup-password"]["spec"]["mode"] = json!("0644")).await;
    let said = failure(&hub, "backup.run", home.clone()).await;
    assert!(said.contains("others may read") && said.contains("0600"), "{said}");
    publish_with(&hub, &places, |_| ()).await;
    // What shall be backed up is a link, of which nothing else would be kept.
    let link = places.data.join("link");
    std::os::unix::fs::symlink(&places.data, &link).unwrap();
    publish_with(&hub, &places, |resources| {
        resources["file/backup-targets"]["spec"]["data"]["targets"]["home"]["paths"] = json!([link]);
    })
    .await;
    let said = failure(&hub, "backup.run", home.clone()).await;
    assert!(said.contains("is a link") && said.contains(&places.data.display().to_string()), "{said}");
    std::fs::remove_file(&link).unwrap();
    publish_with(&hub, &places, |_| ()).await;
    // What shall be backed up is not there; nothing is made of nothing.
    std::fs::rename(&places.data, places.data.with_file_name("gone")).unwrap();
    let said = failure(&hub, "backup.run", home.clone()).await;
    assert!(said.contains("is not there; nothing was backed up"), "{said}");
    std::fs::rename(places.data.with_file_name("gone"), &places.data).unwrap();
    // A repository that is damaged.
    let largest = packs(&places.backup.join("box/data")).into_iter().max_by_key(|pack| pack.metadata().unwrap().len());
    std::fs::remove_file(largest.expect("there are packs")).unwrap();
    let said = failure(&hub, "backup.check", home).await;
    assert!(said.contains("restic check of `home` failed"), "{said}");
    let found = reported(&hub.people(), "backup", "home").await;
    assert!(found.is_some_and(|facts| facts["last"]["snapshot"] == made["snapshot"]));
}

async fn a_repository_that_cannot_be_reached_is_not_told_as_none(scene: Scene) {
    let hub = hub(&scene).await;
    let (_site, places, agent) = a_box(&scene, &hub).await;
    agent.kill().await;
    // In the place of restic, which would try for long: what its versions have said, with the code they ended with.
    let program = places.etc.join("restic");
    std::fs::write(&program, "#!/bin/sh\ncat \"$HOME/said\" >&2\nexit \"$(cat \"$HOME/code\")\"\n").unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    for (why, code, is_none) in [
        ("stat /srv/backup/box/config: no such file or directory", "1", true),
        ("<config/> does not exist", "1", true),
        ("Stat: The specified key does not exist.", "1", true),
        ("unexpected HTTP response (404): 404 Not Found", "1", true),
        ("whatever it is", "10", true),
        ("unexpected HTTP response (503): 503 Service Unavailable", "1", false),
        ("Head \"http://box/404/config\": dial tcp 127.0.0.1:404: connect: connection refused", "1", false),
        ("Stat: The AWS Access Key Id you provided does not exist in our records.", "1", false),
        ("stat /srv/backup/box/config: permission denied", "1", false),
    ] {
        let said = format!("Fatal: unable to open config file: {why}\n{ASKED}\n/srv/backup/box\n");
        std::fs::write(places.etc.join("said"), said).unwrap();
        std::fs::write(places.etc.join("code"), code).unwrap();
        let mut report = Command::new(pack().join("site/backup.py"));
        report.arg("report").arg("--targets").arg(places.etc.join("backup.json")).arg("--from").arg(&places.data);
        report.arg("--to").arg(&places.backup).env("HOME", &places.etc);
        report.env("PATH", format!("{}:{}", places.etc.display(), std::env::var("PATH").unwrap()));
        let told: Value = serde_json::from_slice(&report.output().expect("it can be run").stdout).unwrap();
        let facts = &told[0]["facts"];
        if is_none {
            assert_eq!(facts, &json!({"last": null}), "{why}");
        } else {
            let trouble = facts["trouble"].as_str().unwrap_or_default();
            assert!(trouble.contains("cannot be reached") && trouble.contains(why), "{why}: {facts}");
        }
    }
}

/// What the program says to a restore with this payload, asked as the agent asks it.
fn by_hand(places: &Places, payload: &Value) -> String {
    let mut restore = Command::new(pack().join("site/backup.py"));
    restore.arg("restore").arg("--targets").arg(places.etc.join("backup.json")).arg("--from").arg(&places.data);
    restore.arg("--to").arg(&places.backup).arg("--into").arg(&places.restored);
    restore.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut restore = restore.spawn().expect("it can be run");
    let mut stdin = restore.stdin.take().expect("it has one");
    stdin.write_all(payload.to_string().as_bytes()).expect("it reads");
    drop(stdin);
    let ended = restore.wait_with_output().expect("it ends");
    assert!(!ended.status.success());
    String::from_utf8_lossy(&ended.stderr).into_owned()
}

async fn publish_with(hub: &RunningHub<'_>, places: &Places, change: impl FnOnce(&mut Value)) {
    let mut resources = backed_up(places);
    change(&mut resources);
    publish(&hub.people(), "node:box", json!({ "resources": resources })).await;
    stands(&hub.people(), "box", Standing::Converged).await;
}

async fn a_backup_that_is_not_done_by_its_deadline_is_missed_until_it_is_done(scene: Scene) {
    let clock = HandSet::new(&scene);
    let hub = clock.for_hub(scene.hub().setting("packs", format!("[{:?}]", pack()))).start().await;
    let people = hub.people();
    let secret = WriteSecret { value: PASSWORD.to_owned() };
    people.set_secret("backup-password", &secret).await.expect("an administrator may");
    let (_site, places, _agent) = a_box(&scene, &hub).await;
    std::fs::write(places.data.join("letter"), "dear all").unwrap();
    // Its day begins at midnight: what was done just before would be another day's.
    let deadline = PutBackupDeadline {
        selector: Selector { all: true, ..Selector::default() },
        target: "home".into(),
        by: "06:00".into(),
        time_zone: "UTC".into(),
        days: Vec::new(),
        grace_s: Some(0),
    };
    people.set_backup_deadline("nightly", &deadline).await.expect("an administrator may");
    let day = 86_400_000;
    let tomorrow = Millis((now().0.div_euclid(day) + 1) * day);
    // A hub that has slept gives nodes ten minutes to report.
    for minutes in [0, 4, 8, 11] {
        clock.show(tomorrow + Span::hours(6) + Span::minutes(minutes));
        looks_again(&hub, "judge_backups").await;
    }
    let missed = until("it is missed", async || hub.events("backup.missed").await.pop()).await;
    assert_eq!((&missed.data["target"], &missed.data["completed_at"]), (&json!("home"), &Value::Null));
    let alarm = async |state: AlarmState| {
        until("the alarm", async || {
            let query = AlarmQuery { rule: Some("backup.missed".into()), ..AlarmQuery::default() };
            let all = people.alarms(&query).await.expect("an administrator may").items;
            all.first().filter(|alarm| alarm.state == state).map(|alarm| alarm.id)
        })
        .await
    };
    let raised = alarm(AlarmState::Open).await;
    // The box's own clock stands still yesterday: what it does now is not what was expected.
    result(&hub, "backup.run", json!({"target": "home"})).await;
    let told = until("the agent tells of it", async || hub.events("backup.completed").await.pop()).await;
    assert_eq!((&told.data["target"], &told.data["bytes"]), (&json!("home"), &json!(8)));
    assert_eq!(told.node, Some(missed.node.expect("it is about the box")));
    assert_eq!(alarm(AlarmState::Open).await, raised);
    // Back to the right time, on whose day it was done.
    clock.ahead(Span::ZERO);
    people.remove_backup_deadline("nightly").await.expect("an administrator may");
    hub.plan().sql("update backups set missed_since = missed_since - 86400000");
    assert_eq!(alarm(AlarmState::Resolved).await, raised, "by the next report");
    // A backup that fails is told with what stood in the way, once.
    std::fs::rename(&places.data, places.data.with_extension("away")).unwrap();
    failure(&hub, "backup.run", json!({"target": "home"})).await;
    let failed = until("the agent tells that it failed", async || hub.events("backup.failed").await.pop()).await;
    assert!(failed.data["error"].as_str().is_some_and(|error| error.contains("is not there")), "{failed:?}");
    assert_eq!((hub.events("backup.failed").await.len(), hub.events("backup.completed").await.len()), (1, 1));
    assert_eq!(hub.events("backup.missed").await.len(), 1);
}

async fn a_backup_that_is_called_off_leaves_no_lock(scene: Scene) {
    let hub = hub(&scene).await;
    let (_site, places, _agent) = a_box(&scene, &hub).await;
    let repository = places.backup.join("box");
    long_to_read(&places.data);
    let task = hub.submit("box", "backup.run", json!({"target": "home"})).await;
    until("restic is at work", async || (!locks(&repository).is_empty()).then_some(())).await;
    let restic = at_work(&repository);
    hub.people().cancel_task(task).await.unwrap();
    let ended = hub.ended(task).await;
    assert_eq!(ended.summary.status, Status::Cancelled, "{:?}", ended.summary);
    gone(&restic).await;
    assert!(locks(&repository).is_empty(), "{:?}", locks(&repository));
    std::fs::remove_file(places.data.join("long")).unwrap();
    std::fs::write(places.data.join("letter"), "dear all").unwrap();
    result(&hub, "backup.check", json!({"target": "home"})).await;
    result(&hub, "backup.run", json!({"target": "home"})).await;
}

async fn a_backup_that_was_cut_with_its_agent_is_done_after_its_start(scene: Scene) {
    let hub = hub(&scene).await;
    let (site, places, agent) = a_box(&scene, &hub).await;
    let repository = places.backup.join("box");
    long_to_read(&places.data);
    let task = hub.submit("box", "backup.run", json!({"target": "home"})).await;
    until("restic is at work", async || (!locks(&repository).is_empty()).then_some(())).await;
    let restic = at_work(&repository);
    agent.kill().await;
    gone(&restic).await;
    std::fs::remove_file(places.data.join("long")).unwrap();
    std::fs::write(places.data.join("letter"), "dear all").unwrap();
    let _agent = site.start();
    let ended = hub.ended(task).await;
    assert_eq!(ended.result.unwrap_or_else(|| panic!("{:?}", ended.summary))["files"], json!(1));
    assert!(locks(&repository).is_empty(), "the lock of the one that was cut is gone");
    assert_eq!(done(&hub, "backup.check", json!({"target": "home"})).await.summary.status, Status::Completed);
}

/// A file that takes restic minutes to read, and no room.
fn long_to_read(folder: &Path) {
    std::fs::File::create(folder.join("long")).unwrap().set_len(64 << 30).unwrap();
}

/// The locks that lie in a repository. One that was not written to its end has another name, and locks nothing.
fn locks(repository: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(repository.join("locks")).into_iter().flatten().flatten();
    let is_lock = |path: &PathBuf| path.file_name().is_some_and(|name| !name.to_string_lossy().contains("-tmp-"));
    entries.map(|entry| entry.path()).filter(is_lock).collect()
}

/// The files in which a repository keeps what was backed up.
fn packs(data: &Path) -> Vec<PathBuf> {
    let folders = std::fs::read_dir(data).unwrap().flatten();
    folders.flat_map(|folder| std::fs::read_dir(folder.path()).unwrap().flatten()).map(|entry| entry.path()).collect()
}

/// The processes of restic that work on this repository.
fn at_work(repository: &Path) -> Vec<PathBuf> {
    let named = format!("RESTIC_REPOSITORY={}", repository.display());
    let processes = std::fs::read_dir("/proc").expect("there are processes").flatten().map(|entry| entry.path());
    let is_ours = |process: &PathBuf| {
        let environment = std::fs::read(process.join("environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|variable| variable == named.as_bytes())
    };
    let found: Vec<_> = processes.filter(is_ours).collect();
    assert!(!found.is_empty(), "it works on it");
    found
}

/// Waits until these are no more, for whoever takes note of a dead process, too.
async fn gone(processes: &[PathBuf]) {
    until("restic has ended", async || processes.iter().all(|process| !process.exists()).then_some(())).await;
}

/// A disk of 4 MiB at a folder, until it is dropped.
struct Mounted<'p>(&'p Path);

impl Mounted<'_> {
    fn small(folder: &Path) -> Mounted<'_> {
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=4m", "none"]).arg(folder).status();
        assert!(mounted.expect("mount can be run").success());
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).unwrap();
        Mounted(folder)
    }
}

impl Drop for Mounted<'_> {
    fn drop(&mut self) {
        let _not_mounted = Command::new("umount").arg("--lazy").arg(self.0).output();
    }
}
