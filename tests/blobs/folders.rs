//! Blobs in a folder: logs leave the database, and nobody who reads them notices.

use http::Method;
use sortie_wire::problem::ProblemCode;
use stories::{Ended, RunningHub, Scene, on_both_engines, on_sqlite};

use crate::help::{
    blobs_in, count, ended_later, ended_with, into_folder, is_archived, log_of, noise, say, soon, until_archived,
    with_an_archived_log,
};

on_both_engines!(
    a_log_is_the_same_for_its_reader_whether_it_is_archived_or_not,
    a_log_goes_on_behind_what_was_archived,
);
on_sqlite!(
    a_blob_goes_when_its_last_task_is_forgotten,
    a_large_log_that_cannot_be_packed_is_archived_whole,
    a_blob_that_is_lost_or_changed_is_told_and_no_other_log_suffers,
    without_a_place_logs_stay_in_the_database,
    a_folder_that_cannot_be_used_is_refused_at_the_start,
);

async fn a_log_is_the_same_for_its_reader_whether_it_is_archived_or_not(scene: Scene) {
    let (plan, folder) = into_folder(&scene, "kept");
    let hub = plan.clone().setting("retention.logs_in_store_h", 1).start().await;
    let node = hub.hand_node("north").await;
    let text = "a line of this log\n".repeat(40_000);
    let id = ended_with(&hub, &node, "north", text.as_bytes()).await;
    let words = ["task", "log", &id.to_string()];
    let (before, shown) = (log_of(&hub, id).await, hub.sortie(&words).well().stdout);
    assert_eq!(before, text.as_bytes());
    let _settings_before = hub.stop().await;
    let hub = plan.start().await;
    until_archived(hub.plan(), id).await;
    assert_eq!(log_of(&hub, id).await, before);
    assert_eq!(hub.sortie(&words).well().stdout, shown);
    let streamed = streamed(&hub, &format!("/api/v1/tasks/{id}/log/stream?offset=4"));
    assert!(streamed.contains("event: log") && streamed.contains("event: end"), "{streamed:.300}");
    // It lies there for everybody who may read the folder, in a form that every machine can read.
    let [blob] = blobs_in(&folder).try_into().expect("one blob");
    let mut gzip = std::process::Command::new("gzip");
    let unpacked =
        gzip.arg("-dc").stdin(std::fs::File::open(blob).expect("it is there")).output().expect("gzip is there");
    assert!(unpacked.stdout == before);
}

/// A stream of events to its end.
fn streamed(hub: &RunningHub<'_>, path: &str) -> String {
    let mut curl = std::process::Command::new("curl");
    curl.args(["--silent", "--no-buffer", "--max-time", "60", "--noproxy", "*", "--cacert"]).arg(hub.ca_file());
    curl.args(["--header", &format!("Authorization: Bearer {}", hub.admin_token()), &format!("{}{path}", hub.url())]);
    Ended::of(&mut curl).well().stdout
}

async fn a_log_goes_on_behind_what_was_archived(scene: Scene) {
    let (plan, _folder) = into_folder(&scene, "kept");
    let hub = plan.start().await;
    let node = hub.hand_node("north").await;
    let task = ended_later(&hub, &node, "north", b"first\n").await;
    until_archived(hub.plan(), task.id).await;
    say(&node, &task, 6, b"late\n").await;
    assert_eq!(log_of(&hub, task.id).await, b"first\nlate\n");
    let hub = hub.kill().await.start().await;
    assert_eq!(log_of(&hub, task.id).await, b"first\nlate\n");
}

async fn a_blob_goes_when_its_last_task_is_forgotten(scene: Scene) {
    let (plan, folder) = into_folder(&scene, "kept");
    let hub = plan.setting("blobs.unreferred_h", 0).start().await;
    let node = hub.hand_node("north").await;
    for _ in 0..2 {
        let id = ended_with(&hub, &node, "north", b"the same\n").await;
        until_archived(hub.plan(), id).await;
    }
    assert_eq!(blobs_in(&folder).len(), 1, "equal logs of an org are kept once");
    // Loops look at once after a start.
    let hub = hub.stop().await.0.setting("retention.tasks_d", 0).start().await;
    stories::until("it is gone", async || {
        (blobs_in(&folder).is_empty() && count(hub.plan(), "blobs") == 0).then_some(())
    })
    .await;
}

async fn a_large_log_that_cannot_be_packed_is_archived_whole(scene: Scene) {
    let (plan, folder) = into_folder(&scene, "kept");
    let hub = plan.start().await;
    let node = hub.hand_node("north").await;
    let log = noise(6_000_000);
    let id = ended_with(&hub, &node, "north", &log).await;
    until_archived(hub.plan(), id).await;
    assert!(log_of(&hub, id).await == log);
    assert_eq!(blobs_in(&folder).len(), 1);
}

async fn a_blob_that_is_lost_or_changed_is_told_and_no_other_log_suffers(scene: Scene) {
    let (plan, folder) = into_folder(&scene, "kept");
    let (hub, node, id) = with_an_archived_log(plan).await;
    let [blob] = blobs_in(&folder).try_into().expect("one blob");
    for damage in ["changed", "lost"] {
        match damage {
            "changed" => std::fs::write(&blob, b"something else").expect("it is ours"),
            _ => std::fs::remove_file(&blob).expect("it is ours"),
        }
        let answer = hub.request(Method::GET, &format!("/api/v1/tasks/{id}/log")).send().await;
        answer.is_problem(ProblemCode::BlobLost, None);
        assert!(hub.log().contains("A blob is lost"));
    }
    let other = ended_with(&hub, &node, "north", b"two\n").await;
    until_archived(hub.plan(), other).await;
    assert_eq!(log_of(&hub, other).await, b"two\n");
}

async fn without_a_place_logs_stay_in_the_database(scene: Scene) {
    let hub = soon(scene.hub()).setting("blobs.url", "none").start().await;
    let node = hub.hand_node("north").await;
    let id = ended_with(&hub, &node, "north", b"one\n").await;
    assert_eq!(log_of(&hub, id).await, b"one\n");
    assert!(!is_archived(hub.plan(), id) && !hub.data().join("blobs").exists());
    // In the folder of its own they leave it.
    let hub = hub.stop().await.0.setting("blobs.url", "").start().await;
    until_archived(hub.plan(), id).await;
    assert_eq!(log_of(&hub, id).await, b"one\n");
    assert_eq!(blobs_in(&hub.data().join("blobs")).len(), 1);
}

async fn a_folder_that_cannot_be_used_is_refused_at_the_start(scene: Scene) {
    let file = scene.folder().join("a-file");
    std::fs::write(&file, "").expect("it is ours");
    for (name, folder) in [("one", file.join("below")), ("two", scene.folder().join("not/there")), ("three", file)] {
        let plan = scene.hub_named(name).setting("blobs.url", format!("file://{}", folder.display()));
        let said = crate::help::refused(&plan).await;
        assert!(said.contains(&folder.display().to_string()) && said.contains("docs/blobs.md"), "{said}");
    }
    let said = crate::help::refused(&scene.hub_named("four").setting("blobs.url", "s3://key:secret@bucket")).await;
    assert!(said.contains("blobs.url") && !said.contains("key:secret"), "{said}");
}
