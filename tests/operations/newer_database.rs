//! A database that a newer program has changed: an older one refuses it and changes nothing, unless
//! the newer one has said that it may.

use serde_json::json;
use stories::{HubPlan, Scene, on_both_engines};

use crate::data_folder::does_not_start;

on_both_engines!(a_database_newer_than_the_program_is_refused_and_left_alone, a_newer_database_that_lets_it_in_is_used);

const NEWER: &str = "insert into migrations (version, name, applied_at) values (99, 'of the future', 0)";

async fn a_database_newer_than_the_program_is_refused_and_left_alone(scene: Scene) {
    let hub = scene.hub().start().await;
    let _node = hub.hand_node("north").await;
    let id = hub.submit("north", "sys.info", json!({})).await;
    let (plan, _) = hub.stop().await;
    plan.sql(NEWER);
    plan.sql("update meta set value = '99' where key = 'oldest_program_schema'");
    let before = everything(&plan);
    let said = does_not_start(&plan, 1).await;
    assert!(said.contains("the database has schema 99") && said.contains("Start the newer version"), "{said}");
    assert_eq!(everything(&plan), before, "nothing was changed");
    plan.sql("delete from migrations where version = 99");
    plan.sql("update meta set value = '1' where key = 'oldest_program_schema'");
    let hub = plan.start().await;
    assert_eq!(hub.task(id).await.summary.status.as_str(), "pending");
}

async fn a_newer_database_that_lets_it_in_is_used(scene: Scene) {
    let (plan, _) = scene.hub().start().await.stop().await;
    plan.sql(NEWER);
    let hub = plan.start().await;
    let _node = hub.hand_node("north").await;
    hub.submit("north", "sys.info", json!({})).await;
}

fn everything(plan: &HubPlan<'_>) -> Vec<Vec<String>> {
    ["migrations", "meta", "nodes", "node_signs", "tasks", "events", "tokens", "invites"]
        .map(|table| plan.sql(&format!("select count(*) from {table}")))
        .into_iter()
        .chain([
            plan.sql("select value from meta order by key"),
            plan.sql("select name from migrations order by version"),
        ])
        .collect()
}
