//! Several hubs on one PostgreSQL database: an S3 store or a shared folder is for all of them, a folder of one's own is
//! refused.

use counterparts::S3Server;
use stories::{Engine, Scene};

use crate::help::{ended_with, into_bucket, into_folder, log_of, refused, soon, until_archived};

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_second_hub_beside_one_with_a_folder_of_its_own_refuses_to_start() {
    let scene = Scene::new(Engine::Postgres);
    let (plan, _folder) = into_folder(&scene, "kept");
    let hub = plan.start().await;
    let node = hub.hand_node("north").await;
    let url = format!("file://{}", scene.folder().join("other-folder").display());
    let other = hub.plan().beside("other").setting("blobs.url", url);
    let said = refused(&other).await;
    assert!(said.contains("another hub on this database") && said.contains("shared_folder"), "{said}");
    // The same folder is no better as long as nobody says that all hubs have it.
    let same = hub.plan().beside("same");
    assert!(refused(&same).await.contains("another hub on this database"));
    let id = ended_with(&hub, &node, "north", b"one\n").await;
    until_archived(hub.plan(), id).await;
    // A stop lets go, a kill is seen to be one: the hub itself starts again after both.
    let hub = hub.stop().await.0.start().await;
    let hub = hub.kill().await.start().await;
    assert_eq!(log_of(&hub, id).await, b"one\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_folder_that_all_hubs_have_is_shared_and_another_is_told_from_it() {
    let scene = Scene::new(Engine::Postgres);
    let (plan, _folder) = into_folder(&scene, "kept");
    let hub = plan.setting("blobs.shared_folder", true).start().await;
    let other = hub.plan().beside("other").start().await;
    let node = other.hand_node("north").await;
    let id = ended_with(&hub, &node, "north", b"one\n").await;
    until_archived(hub.plan(), id).await;
    assert_eq!((log_of(&hub, id).await, log_of(&other, id).await), (b"one\n".to_vec(), b"one\n".to_vec()));
    let unmounted = format!("file://{}", scene.folder().join("unmounted").display());
    let said = refused(&hub.plan().beside("third").setting("blobs.url", unmounted)).await;
    assert!(said.contains("Is the folder not mounted"), "{said}");
    let none = hub.plan().beside("fourth").setting("blobs.url", "").setting("blobs.shared_folder", false);
    assert!(refused(&none).await.contains("as the other hubs do"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn hubs_with_one_s3_store_read_what_any_of_them_has_put_there() {
    let scene = Scene::new(Engine::Postgres);
    let server = S3Server::start();
    let hub = into_bucket(&scene, &server, &server.url()).start().await;
    let other = hub.plan().beside("other").start().await;
    let node = other.hand_node("north").await;
    let first = ended_with(&other, &node, "north", b"one\n").await;
    until_archived(hub.plan(), first).await;
    assert_eq!(log_of(&other, first).await, b"one\n");
    let _dead = hub.kill().await;
    let second = ended_with(&other, &node, "north", b"two\n").await;
    until_archived(other.plan(), second).await;
    assert_eq!((log_of(&other, first).await, log_of(&other, second).await), (b"one\n".to_vec(), b"two\n".to_vec()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn hubs_without_a_place_run_beside_each_other_and_keep_logs_in_the_database() {
    let scene = Scene::new(Engine::Postgres);
    let hub = soon(scene.hub()).start().await;
    let other = hub.plan().beside("other").start().await;
    let node = other.hand_node("north").await;
    let id = ended_with(&hub, &node, "north", b"one\n").await;
    assert_eq!(log_of(&other, id).await, b"one\n");
    assert_eq!(crate::help::pieces(hub.plan(), id), 1);
}
