//! Packs are read at the start and on SIGHUP: all of them, or none.

use rustix::process::Signal;
use serde_json::json;
use sortie_rules::tasks::Status;
use stories::{Ended, Scene, on_sqlite, until};

use crate::help::{change, new_pack, types};

on_sqlite!(
    packs_of_the_data_folder_and_of_the_settings_are_taken_at_the_start,
    a_pack_with_mistakes_stops_the_start_and_tells_every_one,
    a_hangup_takes_the_packs_as_they_are_now,
    a_hangup_with_a_broken_pack_changes_nothing_and_says_where,
    a_task_that_waits_keeps_what_it_was_submitted_with,
    privileged_work_is_proposed_and_not_simply_submitted,
);

async fn packs_of_the_data_folder_and_of_the_settings_are_taken_at_the_start(scene: Scene) {
    let elsewhere = scene.folder().join("elsewhere");
    new_pack("one", &elsewhere);
    let plan = scene.hub().setting("packs", elsewhere.display());
    new_pack("two", &plan.data().join("packs/two"));
    let hub = plan.start().await;
    let names = types(&hub);
    for name in ["one.count", "two.count", "sys.info"] {
        assert!(names.contains(&name.to_owned()), "{name} is not in {names:?}");
    }
}

async fn a_pack_with_mistakes_stops_the_start_and_tells_every_one(scene: Scene) {
    let plan = scene.hub();
    let folder = plan.data().join("packs/broken");
    new_pack("broken", &folder);
    change(&folder, "lease_s = 60", "lease_s = 1");
    change(&folder, "count.result.json", "missing.json");
    let ended = Ended::of(&mut plan.command());
    ended.failed(2, &["2 mistakes", "broken/pack.toml:", "`lease_s` must be", "schemas/missing.json"]);
}

async fn a_hangup_takes_the_packs_as_they_are_now(scene: Scene) {
    let mut hub = scene.hub().start().await;
    assert!(!types(&hub).contains(&"late.count".to_owned()));
    new_pack("late", &hub.data().join("packs/late"));
    hub.process().signal(Signal::HUP);
    until("the new type is there", async || types(&hub).contains(&"late.count".to_owned()).then_some(())).await;
    std::fs::remove_dir_all(hub.data().join("packs/late")).expect("the pack can be removed");
    hub.process().signal(Signal::HUP);
    until("the type is gone", async || (!types(&hub).contains(&"late.count".to_owned())).then_some(())).await;
}

async fn a_hangup_with_a_broken_pack_changes_nothing_and_says_where(scene: Scene) {
    let plan = scene.hub();
    let folder = plan.data().join("packs/mine");
    new_pack("mine", &folder);
    let mut hub = plan.start().await;
    change(&folder, "idempotent = true", "klass = 1\nidempotent = true");
    hub.process().signal(Signal::HUP);
    until("the mistake is told", async || hub.log().contains("unknown key `klass`").then_some(())).await;
    assert!(hub.log().contains("nothing is changed"));
    assert!(types(&hub).contains(&"mine.count".to_owned()));
}

async fn a_task_that_waits_keeps_what_it_was_submitted_with(scene: Scene) {
    let plan = scene.hub();
    let folder = plan.data().join("packs/mine");
    new_pack("mine", &folder);
    let mut hub = plan.start().await;
    let node = hub.hand_node("north").await;
    let id = hub.submit("north", "mine.count", json!({ "text": "x" })).await;
    std::fs::remove_dir_all(&folder).expect("the pack can be removed");
    hub.process().signal(Signal::HUP);
    until("the type is gone", async || (!types(&hub).contains(&"mine.count".to_owned())).then_some(())).await;
    let held = node.take_one().await;
    assert_eq!((held.id, held.idempotent), (id, true));
    node.report(&stories::HandNode::completed(&held, json!({ "payload_bytes": 1 }))).await.expect("it is taken");
    assert_eq!(hub.task(id).await.summary.status, Status::Completed);
}

async fn privileged_work_is_proposed_and_not_simply_submitted(scene: Scene) {
    let plan = scene.hub();
    let folder = plan.data().join("packs/mine");
    new_pack("mine", &folder);
    change(&folder, "idempotent", "class = \"privileged\"\nidempotent");
    let hub = plan.start().await;
    let _node = hub.hand_node("north").await;
    let ended = hub.sortie(&["task", "submit", "mine.count", "--node", "north", "--payload", r#"{"text":"x"}"#]);
    ended.failed(3, &["signature_needed", "sortie op propose mine.count"]);
    hub.sortie(&["op", "propose", "mine.count", "--node", "north", "--payload", r#"{"text":"x"}"#]).well();
}
