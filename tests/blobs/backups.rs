//! Backups, restores and copies of hubs with blobs.

use counterparts::S3Server;
use stories::{Ended, HubPlan, Program, Scene, on_both_engines, on_sqlite};

use crate::help::{blobs_in, ended_with, into_bucket, into_folder, log_of, soon, until_archived, with_an_archived_log};

on_both_engines!(a_backup_holds_the_blobs_of_a_folder_and_a_restored_hub_has_them);
on_sqlite!(
    a_backup_of_a_hub_with_an_s3_store_says_that_the_store_keeps_its_blobs,
    a_copied_store_says_where_its_blobs_stay,
    a_blob_that_is_lost_costs_no_backup,
);

fn back_up(plan: &HubPlan<'_>, to: &std::path::Path) -> Ended {
    Ended::of(plan.tool(&["backup", "--yes"]).arg("--to").arg(to)).well()
}

async fn a_backup_holds_the_blobs_of_a_folder_and_a_restored_hub_has_them(scene: Scene) {
    let (plan, folder) = into_folder(&scene, "kept");
    let (hub, _node, id) = with_an_archived_log(plan).await;
    let file = scene.folder().join("hub.backup");
    let said = back_up(hub.plan(), &file).stderr;
    assert!(said.contains("1 blobs") && said.contains("are in it"), "{said}");
    let elsewhere = scene.folder().join("restored-blobs");
    let plan = hub.kill().await.anew("restored").setting("blobs.url", format!("file://{}", elsewhere.display()));
    std::fs::remove_dir_all(&folder).expect("it is ours");
    // Not into the place of another hub.
    std::fs::create_dir(&elsewhere).expect("it is ours");
    std::fs::write(elsewhere.join("sortie-blobs.json"), r#"{"place":"another"}"#).expect("it is ours");
    let refused = Ended::of(plan.tool(&["restore"]).arg("--from").arg(&file));
    assert!(refused.code != Some(0) && refused.stderr.contains("another hub"), "{refused:?}");
    std::fs::remove_dir_all(&elsewhere).expect("it is ours");
    Ended::of(plan.tool(&["restore"]).arg("--from").arg(&file)).well();
    let hub = plan.start().await;
    assert_eq!(log_of(&hub, id).await, b"one\n");
}

async fn a_backup_of_a_hub_with_an_s3_store_says_that_the_store_keeps_its_blobs(scene: Scene) {
    let server = S3Server::start();
    let hub = into_bucket(&scene, &server, &server.url()).start().await;
    let node = hub.hand_node("north").await;
    let id = ended_with(&hub, &node, "north", b"one\n").await;
    until_archived(hub.plan(), id).await;
    let file = scene.folder().join("hub.backup");
    let said = back_up(hub.plan(), &file).stderr;
    assert!(said.contains("are not in it") && said.contains("s3://"), "{said}");
    let plan = hub.kill().await.anew("restored");
    Ended::of(plan.tool(&["restore"]).arg("--from").arg(&file)).well();
    let hub = plan.start().await;
    assert_eq!(log_of(&hub, id).await, b"one\n");
}

async fn a_copied_store_says_where_its_blobs_stay(scene: Scene) {
    let hub = soon(scene.hub()).start().await;
    let node = hub.hand_node("north").await;
    let id = ended_with(&hub, &node, "north", b"one\n").await;
    until_archived(hub.plan(), id).await;
    let plan = hub.stop().await.0;
    let copy = scene.folder().join("copy");
    let from = plan.data();
    let words = ["store".as_ref(), "copy".as_ref(), "--from".as_ref(), from.as_os_str(), "--to".as_ref()];
    let said = Program::Sortie.run(words.into_iter().chain([copy.as_os_str()])).well().stderr;
    assert!(said.contains("1 blobs were not copied") && said.contains("blobs.url"), "{said}");
}

async fn a_blob_that_is_lost_costs_no_backup(scene: Scene) {
    let (plan, folder) = into_folder(&scene, "kept");
    let hub = plan.start().await;
    let node = hub.hand_node("north").await;
    for log in [b"one\n", b"two\n"] {
        let id = ended_with(&hub, &node, "north", log).await;
        until_archived(hub.plan(), id).await;
    }
    std::fs::remove_file(&blobs_in(&folder)[0]).expect("it is ours");
    let said = back_up(hub.plan(), &scene.folder().join("hub.backup")).stderr;
    assert!(said.contains("1 blobs") && said.contains("1 more are lost"), "{said}");
}
