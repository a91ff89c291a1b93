//! A data folder whose files are damaged: the hub names the file, changes nothing, and goes on once
//! the file is back.

use std::path::PathBuf;

use stories::{HubPlan, Scene, on_sqlite};

on_sqlite!(
    a_damaged_database_is_named_and_left_alone,
    a_damaged_key_is_named_and_left_alone,
    a_lost_administrator_s_token_is_no_fault_of_the_hub_s,
);

async fn a_damaged_database_is_named_and_left_alone(scene: Scene) {
    let (plan, _) = scene.hub().start().await.stop().await;
    let database = plan.data().join("sortie.db");
    refused_until_mended(plan, database, "sortie.db").await;
}

async fn a_damaged_key_is_named_and_left_alone(scene: Scene) {
    let (plan, _) = scene.hub().start().await.stop().await;
    let mut keys: Vec<PathBuf> =
        std::fs::read_dir(plan.data().join("keys")).unwrap().map(|entry| entry.unwrap().path()).collect();
    keys.sort();
    assert!(keys.len() >= 2, "{keys:?}");
    let mut plan = plan;
    for key in keys {
        let name = key.file_stem().unwrap().to_string_lossy().into_owned();
        plan = refused_until_mended(plan, key, &name).await;
    }
}

async fn a_lost_administrator_s_token_is_no_fault_of_the_hub_s(scene: Scene) {
    let hub = scene.hub().start().await;
    let token = hub.admin_token();
    std::fs::remove_file(hub.data().join("admin.token")).unwrap();
    assert_eq!(hub.people_as(&token).whoami().await.unwrap().name, "admin", "only its hash is needed");
    assert!(!hub.data().join("admin.token").exists(), "nobody makes another one behind one's back");
}

/// Damages a file: the hub refuses to start, names it and leaves it; with the file back it starts.
async fn refused_until_mended<'s>(plan: HubPlan<'s>, file: PathBuf, name: &str) -> HubPlan<'s> {
    let whole = std::fs::read(&file).unwrap();
    let damaged = b"this was a file of the hub's before something wrote over it".repeat(100);
    std::fs::write(&file, &damaged).unwrap();
    let before = std::fs::read_to_string(plan.data().join("admin.token")).unwrap();
    let mut process = plan.launch();
    let status = process.end().await;
    let said = process.log();
    assert!(matches!(status.code(), Some(1 | 2)), "{name}: {status:?}\n{said}");
    let last = said.lines().rfind(|line| line.contains("error:")).unwrap_or_default();
    assert!(last.contains(name), "the file is named: {said}");
    assert_eq!(std::fs::read(&file).unwrap(), damaged, "{name} is left as it was found");
    assert_eq!(std::fs::read_to_string(plan.data().join("admin.token")).unwrap(), before);
    std::fs::write(&file, whole).unwrap();
    plan.start().await.stop().await.0
}
