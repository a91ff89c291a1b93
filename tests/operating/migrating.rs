//! What an upgrade would do to a store: said before it is done, with a code that a script can decide on.

use serde_json::json;
use stories::{Ended, HubPlan, Scene, on_both_engines, on_sqlite};

on_both_engines!(a_check_says_what_is_pending_and_changes_nothing, a_store_that_is_too_new_is_named);
on_sqlite!(a_store_that_is_not_there_yet_is_all_pending, pending_migrations_are_done_without_a_hub);

fn check(plan: &HubPlan<'_>) -> Ended {
    Ended::of(&mut plan.tool(&["migrate", "--check", "--json"]))
}

fn taken(plan: &HubPlan<'_>) -> Vec<String> {
    plan.sql("select version from migrations order by version")
}

async fn a_check_says_what_is_pending_and_changes_nothing(scene: Scene) {
    let hub = scene.hub().start().await;
    let report = check(hub.plan()).well().json();
    assert_eq!(
        (&report["database"], &report["pending"], &report["usable"]),
        (&report["program"], &json!([]), &json!(true))
    );
    let (plan, _) = hub.stop().await;
    // As if the program had one step more than the store.
    let newest = taken(&plan).pop().unwrap();
    plan.sql(&format!("delete from migrations where version = {newest}"));
    let before = taken(&plan);
    let pending = check(&plan);
    assert_eq!(pending.code, Some(8), "{pending:?}");
    let report = pending.json();
    assert_eq!(report["pending"][0]["version"].to_string(), newest);
    assert_eq!(report["rolling"], true, "the oldest program is let in before and after");
    assert_eq!(taken(&plan), before);
    let told = Ended::of(&mut plan.tool(&["migrate", "--check"]));
    assert_eq!(told.code, Some(8));
    assert!(told.stdout.contains("upgrade replica by replica"), "{told:?}");
}

async fn a_store_that_is_too_new_is_named(scene: Scene) {
    let (plan, _) = scene.hub().start().await.stop().await;
    plan.sql("insert into migrations (version, name, applied_at) values (99, 'of the future', 0)");
    assert_eq!(check(&plan).well().json()["usable"], true, "a newer store that lets this program in");
    plan.sql("update meta set value = '99' where key = 'oldest_program_schema'");
    let refused = check(&plan);
    assert_eq!(refused.code, Some(7), "{refused:?}");
    assert_eq!((&refused.json()["usable"], &refused.json()["oldest_program"]), (&json!(false), &json!(99)));
    let told = Ended::of(&mut plan.tool(&["migrate", "--check"]));
    assert!(told.stdout.contains("may not use it") && told.stdout.contains("at least schema 99"), "{told:?}");
}

async fn a_store_that_is_not_there_yet_is_all_pending(scene: Scene) {
    let plan = scene.hub();
    let report = check(&plan);
    assert_eq!((report.code, &report.json()["database"]), (Some(8), &json!(null)));
    assert!(!plan.data().exists(), "nothing was made");
    Ended::of(&mut plan.tool(&["migrate"])).failed(2, &["holds no store of a hub"]);
}

async fn pending_migrations_are_done_without_a_hub(scene: Scene) {
    let hub = scene.hub().start().await;
    Ended::of(&mut hub.plan().tool(&["migrate"])).failed(2, &["another hub runs"]);
    let (plan, _) = hub.stop().await;
    let done = Ended::of(&mut plan.tool(&["migrate", "--json"])).well();
    assert!(done.stderr.contains("Nothing was pending"), "{done:?}");
    assert_eq!(done.json()["pending"], json!([]));
}
