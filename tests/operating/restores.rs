//! Restoring: the same agents go on, nothing runs twice, and what is new is taken for new.

use serde_json::json;
use stories::{Ended, HandNode, HubPlan, RunningHub, Scene, on_both_engines, on_sqlite};

use crate::setup::{back_up, backup_file, embedded, restore};

on_both_engines!(
    the_same_agents_go_on_with_a_restored_hub_and_no_task_runs_twice,
    a_restored_hub_learns_where_its_nodes_are_and_what_they_have_done,
    whoever_follows_events_misses_none_of_a_restored_hub,
);
on_sqlite!(
    only_an_empty_folder_is_restored_into,
    a_backup_that_was_changed_is_refused_before_anything_is_touched,
    a_backup_of_a_newer_program_is_refused,
);

/// Kills a hub and restores its backup elsewhere, at the same address.
async fn lose<'s>(hub: RunningHub<'s>, from: &std::path::Path) -> HubPlan<'s> {
    let plan = hub.kill().await.anew("restored");
    let told = restore(&plan, from).well().json();
    assert!(told["rows"].as_u64().is_some_and(|rows| rows > 0), "{told}");
    plan
}

async fn the_same_agents_go_on_with_a_restored_hub_and_no_task_runs_twice(scene: Scene) {
    let hub = scene.hub().start().await;
    let site = hub.site("north").await;
    let log = site.files().join("log");
    let mut tasks = Vec::new();
    for line in ["one", "two", "three"] {
        tasks.push(hub.submit("north", "file.append", json!({ "path": log, "line": line })).await);
    }
    let file = backup_file(&scene);
    back_up(hub.plan(), &file).well();
    // What the backup does not know: all of them were done, and more.
    let agent = site.start();
    for id in &tasks {
        assert_eq!(hub.ended(*id).await.summary.status.as_str(), "completed");
    }
    let later = hub.submit("north", "file.append", json!({ "path": log, "line": "later" })).await;
    hub.ended(later).await;
    assert_eq!(site.lines("log").len(), 4);

    let hub = lose(hub, &file).await.start().await;
    for id in &tasks {
        assert_eq!(hub.ended(*id).await.summary.status.as_str(), "completed", "the agent tells what it has done");
    }
    let fresh = hub.submit("north", "file.append", json!({ "path": log, "line": "fresh" })).await;
    assert_eq!(hub.ended(fresh).await.summary.status.as_str(), "completed");
    assert_eq!(site.lines("log").iter().filter(|line| *line == "fresh").count(), 1);
    assert_eq!(site.lines("log").len(), 5, "nothing was done twice: {:?}", site.lines("log"));
    assert!(hub.people().node("north").await.is_ok());
    assert!(!site.log().contains("number_back"), "no delivery was refused");
    agent.stop().await;
}

async fn a_restored_hub_learns_where_its_nodes_are_and_what_they_have_done(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    let id = hub.submit("north", "sleep", json!({ "ms": 0 })).await;
    let task = node.take_one().await;
    let file = backup_file(&scene);
    back_up(hub.plan(), &file).well();
    let done = HandNode::completed(&task, json!({ "slept_ms": 0 }));
    node.report(&done).await.unwrap();
    // More deliveries than the backup knows of.
    for _ in 0..3 {
        hub.submit("north", "sleep", json!({ "ms": 0 })).await;
        let more = node.take_one().await;
        node.report(&HandNode::completed(&more, json!({ "slept_ms": 0 }))).await.unwrap();
    }
    let before = node.wait(1, 0).await.number;

    let hub = lose(hub, &file).await.start().await;
    assert_eq!(hub.task(id).await.summary.status.as_str(), "in_progress", "as the backup has it");
    let first = node.wait(1, 0).await;
    assert!(first.results_wanted, "an acknowledgement ahead tells that the hub was restored: {first:?}");
    assert!(first.number >= before);
    node.report(&done).await.unwrap();
    assert_eq!(hub.task(id).await.summary.status.as_str(), "completed");
    let new = hub.submit("north", "sleep", json!({ "ms": 0 })).await;
    let delivery = node.wait(1, 20).await;
    assert_eq!(delivery.tasks.iter().map(|task| task.id).collect::<Vec<_>>(), [new]);
    assert!(delivery.number > before, "{} is not above {before}", delivery.number);
}

async fn whoever_follows_events_misses_none_of_a_restored_hub(scene: Scene) {
    let hub = scene.hub().start().await;
    let _node = hub.hand_node("north").await;
    let file = backup_file(&scene);
    back_up(hub.plan(), &file).well();
    for _ in 0..5 {
        hub.submit("north", "sys.info", json!({})).await;
    }
    let seen = hub.events("task.submitted").await.last().unwrap().number;
    let hub = lose(hub, &file).await.start().await;
    let restored = hub.events("hub.restored").await;
    assert_eq!(restored.len(), 1, "{restored:?}");
    hub.submit("north", "sys.info", json!({})).await;
    let submitted = hub.events("task.submitted").await;
    assert_eq!(submitted.len(), 1);
    assert!(submitted[0].number > restored[0].number && restored[0].number > seen, "{submitted:?} after {seen}");
    let acts = hub.sortie_json(&["audit", "list", "--action", "hub.restore"]);
    assert!(acts.to_string().contains("hub.restore"), "{acts}");
    let export = scene.folder().join("audit.ndjson");
    hub.sortie(&["audit", "export", "--out", export.to_str().unwrap()]).well();
    Ended::of(stories::Program::Sortie.command().args(["audit", "verify"]).arg(&export)).well();
}

async fn only_an_empty_folder_is_restored_into(scene: Scene) {
    let hub = scene.hub().start().await;
    let id = hub.invite("north").await;
    let file = backup_file(&scene);
    back_up(hub.plan(), &file).well();
    restore(hub.plan(), &file).failed(2, &["another hub runs on the data folder"]);
    let (plan, _) = hub.stop().await;
    restore(&plan, &file).failed(2, &["holds a hub already", "--data"]);
    let hub = plan.start().await;
    assert!(!id.is_empty() && hub.people().whoami().await.is_ok(), "it is unharmed");
    // Settings and packs are not the hub's: they may lie there already.
    let other = scene.hub_named("other");
    std::fs::create_dir_all(other.data().join("packs")).unwrap();
    std::fs::write(other.data().join("hub.toml"), "stop_grace_s = 9\n").unwrap();
    restore(&other, &file).well();
    restore(&other, &file).failed(2, &["holds a hub already"]);
    drop(hub);
    assert_eq!(other.start().await.people().whoami().await.unwrap().name, "admin");
}

async fn a_backup_that_was_changed_is_refused_before_anything_is_touched(scene: Scene) {
    let (plan, _) = scene.hub().start().await.stop().await;
    let file = backup_file(&scene);
    back_up(&plan, &file).well();
    let whole = std::fs::read(&file).unwrap();
    let target = plan.anew("restored");
    let place = |needle: &[u8]| whole.windows(needle.len()).position(|part| part == needle).unwrap();
    let mut flipped = whole.clone();
    flipped[place(b"\"default\"") + 1] ^= 1;
    std::fs::write(&file, &flipped).unwrap();
    restore(&target, &file).failed(7, &["is damaged", "tables/orgs.000001", "Nothing was restored"]);
    for end in [whole.len() / 2, whole.len() * 9 / 10] {
        std::fs::write(&file, &whole[..end]).unwrap();
        restore(&target, &file).failed(7, &["is damaged", "cut short"]);
    }
    std::fs::write(&file, b"not a backup at all, but long enough to be looked at\n".repeat(40)).unwrap();
    restore(&target, &file).failed(2, &["is no backup of a hub"]);
    std::fs::write(&file, b"").unwrap();
    restore(&target, &file).failed(2, &["is no backup of a hub"]);
    restore(&target, &scene.folder().join("nowhere")).failed(1, &["nowhere"]);
    assert!(!target.data().exists(), "nothing was made");
    std::fs::write(&file, &whole).unwrap();
    restore(&target, &file).well();
}

async fn a_backup_of_a_newer_program_is_refused(scene: Scene) {
    let (plan, _) = scene.hub().start().await.stop().await;
    plan.sql("insert into migrations (version, name, applied_at) values (99, 'of the future', 0)");
    let file = backup_file(&scene);
    back_up(&plan, &file).well();
    let target = plan.anew("restored");
    restore(&target, &file).failed(2, &["the backup has schema 99", "or a newer one"]);
    assert!(!target.data().exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_backup_of_one_engine_is_restored_into_the_other_and_back() {
    let scene = Scene::new(stories::Engine::Postgres);
    let hub = embedded(&scene.hub()).start().await;
    let site = hub.site("north").await;
    let _agent = site.start();
    let id = hub.submit("north", "sys.info", json!({})).await;
    hub.ended(id).await;
    let waiting = hub.submit("north", "sleep", json!({ "ms": 3_600_000 })).await;
    let (first, second) = (scene.folder().join("first.backup"), scene.folder().join("second.backup"));
    back_up(hub.plan(), &first).well();
    let on_server = lose(hub, &first).await;
    let hub = on_server.start().await;
    assert_eq!(hub.task(id).await.summary.status.as_str(), "completed");
    hub.submit("north", "sys.info", json!({})).await;
    assert_eq!(back_up(hub.plan(), &second).well().json()["engine"], "postgres");
    let back = embedded(&hub.kill().await.anew("back"));
    assert_eq!(restore(&back, &second).well().json()["engine"], "sqlite");
    let hub = back.start().await;
    hub.people().cancel_task(waiting).await.unwrap();
    assert_eq!(hub.ended(waiting).await.summary.status.as_str(), "cancelled");
    let fresh = hub.submit("north", "sys.info", json!({})).await;
    assert_eq!(hub.ended(fresh).await.summary.status.as_str(), "completed");
}
