//! A place of blobs belongs to one database, and is not taken for another.

use http::Method;
use sortie_wire::problem::ProblemCode;
use stories::{Scene, on_sqlite};

use crate::help::{blobs_in, ended_with, into_folder, log_of, refused, soon, until_archived, with_an_archived_log};

on_sqlite!(
    a_folder_that_is_not_the_one_with_the_blobs_is_refused,
    a_place_that_is_given_up_is_replaced_by_another_once,
    two_hubs_with_databases_of_their_own_do_not_share_a_place,
    a_folder_that_is_gone_in_mid_flight_loses_no_log,
    blobs_that_are_moved_by_hand_are_found_in_their_new_place,
);

async fn a_folder_that_is_not_the_one_with_the_blobs_is_refused(scene: Scene) {
    let (plan, folder) = into_folder(&scene, "kept");
    let (hub, _node, id) = with_an_archived_log(plan).await;
    let plan = hub.stop().await.0;
    // As a disk that is not mounted.
    let away = scene.folder().join("not-mounted");
    std::fs::rename(&folder, &away).expect("it is ours");
    let said = refused(&plan).await;
    assert!(said.contains("another place") && said.contains("in_place_of"), "{said}");
    let said = refused(&plan.clone().setting("blobs.url", "none")).await;
    assert!(said.contains("the database knows of blobs"), "{said}");
    std::fs::remove_dir_all(&folder).expect("it is empty");
    std::fs::rename(&away, &folder).expect("it is ours");
    let hub = plan.start().await;
    assert_eq!(log_of(&hub, id).await, b"one\n");
}

async fn a_place_that_is_given_up_is_replaced_by_another_once(scene: Scene) {
    let (plan, folder) = into_folder(&scene, "kept");
    let (hub, node, lost) = with_an_archived_log(plan).await;
    let plan = hub.stop().await.0;
    std::fs::remove_dir_all(&folder).expect("it is ours");
    let said = refused(&plan).await;
    let id = said.split("in_place_of = \"").nth(1).and_then(|rest| rest.split('"').next()).expect("it names the id");
    let hub = plan.setting("blobs.in_place_of", id).start().await;
    let answer = hub.request(Method::GET, &format!("/api/v1/tasks/{lost}/log")).send().await;
    answer.is_problem(ProblemCode::BlobLost, None);
    let kept = ended_with(&hub, &node, "north", b"two\n").await;
    until_archived(hub.plan(), kept).await;
    assert_eq!(log_of(&hub, kept).await, b"two\n");
    // The same setting gives up nothing more.
    let plan = hub.stop().await.0;
    std::fs::remove_dir_all(&folder).expect("it is ours");
    assert!(refused(&plan).await.contains("another place"));
}

async fn two_hubs_with_databases_of_their_own_do_not_share_a_place(scene: Scene) {
    let (plan, folder) = into_folder(&scene, "kept");
    let _whose_place_it_is = with_an_archived_log(plan).await;
    let url = format!("file://{}", folder.display());
    let said = refused(&soon(scene.hub_named("other")).setting("blobs.url", url)).await;
    assert!(said.contains("belongs to the database of another hub"), "{said}");
}

async fn a_folder_that_is_gone_in_mid_flight_loses_no_log(scene: Scene) {
    let (plan, folder) = into_folder(&scene, "kept");
    let (hub, node, first) = with_an_archived_log(plan).await;
    let away = scene.folder().join("unmounted");
    std::fs::rename(&folder, &away).expect("it is ours");
    std::fs::create_dir(&folder).expect("it is ours");
    let second = ended_with(&hub, &node, "north", b"two\n").await;
    crate::help::until_away(&hub, true).await;
    assert_eq!(log_of(&hub, second).await, b"two\n");
    assert!(blobs_in(&folder).is_empty(), "nothing is written where nobody will look for it");
    std::fs::remove_dir(&folder).expect("it is empty");
    std::fs::rename(&away, &folder).expect("it is ours");
    until_archived(hub.plan(), second).await;
    assert_eq!((log_of(&hub, first).await, log_of(&hub, second).await), (b"one\n".to_vec(), b"two\n".to_vec()));
    crate::help::until_away(&hub, false).await;
}

async fn blobs_that_are_moved_by_hand_are_found_in_their_new_place(scene: Scene) {
    let hub = soon(scene.hub()).start().await;
    let node = hub.hand_node("north").await;
    let id = ended_with(&hub, &node, "north", b"one\n").await;
    until_archived(hub.plan(), id).await;
    let plan = hub.stop().await.0;
    let elsewhere = scene.folder().join("elsewhere");
    std::fs::rename(plan.data().join("blobs"), &elsewhere).expect("it is ours");
    let hub = plan.setting("blobs.url", format!("file://{}", elsewhere.display())).start().await;
    assert_eq!(log_of(&hub, id).await, b"one\n");
}
