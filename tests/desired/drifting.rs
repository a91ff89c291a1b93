//! What is found otherwise later.

use serde_json::json;
use sortie_rules::desired::{ConditionStatus, Standing};
use stories::{Scene, on_both_engines, on_sqlite, until};

use crate::help::{condition, file, holds, keeper, publish, stands};

on_both_engines!(what_somebody_changed_at_the_site_is_brought_in_order_or_told_of);
on_sqlite!(what_a_node_really_runs_can_be_taken_over,);

async fn what_somebody_changed_at_the_site_is_brought_in_order_or_told_of(scene: Scene) {
    let hub = scene.hub().start().await;
    let people = hub.people();
    let (site, agent) = keeper(&hub, "north").await;
    let (corrected, told) = (site.files().join("corrected"), site.files().join("told"));
    let mut only_told = file(&told, "as it was");
    only_told["drift"] = json!("report");
    publish(&people, "org", json!({"resources": {"file/a": file(&corrected, "as it was"), "file/b": only_told}})).await;
    stands(&people, "north", Standing::Converged).await;
    std::fs::write(&corrected, "by hand").unwrap();
    std::fs::write(&told, "by hand").unwrap();
    holds(&corrected, "as it was").await;
    let desired = stands(&people, "north", Standing::Drifted).await;
    assert_eq!(condition(&desired, "file/b").0, ConditionStatus::Drifted);
    holds(&told, "by hand").await;
    // What was left so stays so over a start of the agent: it is drift, and not work that is still to be done.
    agent.stop().await;
    let _agent = site.start();
    let look = |desired: &sortie_wire::desired::NodeDesired| desired.observed.as_ref().unwrap().heard_at;
    let before = look(&desired);
    until("the agent has told anew", async || {
        let desired = people.node_desired("north").await.unwrap();
        (look(&desired) > before).then_some(())
    })
    .await;
    stands(&people, "north", Standing::Drifted).await;
    holds(&told, "by hand").await;
    // A new spec is applied whatever was found.
    let mut anew = file(&told, "anew");
    anew["drift"] = json!("report");
    publish(&people, "org", json!({"resources": {"file/a": file(&corrected, "as it was"), "file/b": anew}})).await;
    holds(&told, "anew").await;
    stands(&people, "north", Standing::Converged).await;
}

async fn what_a_node_really_runs_can_be_taken_over(scene: Scene) {
    let hub = scene.hub().start().await;
    let people = hub.people();
    let (site, _agent) = keeper(&hub, "north").await;
    let (changed, gone) = (site.files().join("changed"), site.files().join("gone"));
    let told = |path| {
        let mut one = file(path, "as it was");
        one["drift"] = json!("report");
        one
    };
    publish(&people, "org", json!({"resources": {"file/changed": told(&changed), "file/gone": told(&gone)}})).await;
    stands(&people, "north", Standing::Converged).await;
    std::fs::write(&changed, "better so").unwrap();
    std::fs::remove_file(&gone).unwrap();
    until("both are told of", async || {
        let desired = people.node_desired("north").await.unwrap();
        let conditions = &desired.observed.as_ref()?.observed.conditions;
        (conditions.iter().filter(|one| one.status == ConditionStatus::Drifted).count() == 2).then_some(())
    })
    .await;
    let pulled = hub.sortie(&["state", "pull", "north"]).well();
    assert!(pulled.stdout.contains("better so"), "{pulled:?}");
    assert!(people.node_desired("north").await.unwrap().generation == 1, "nothing is published by it");
    hub.sortie(&["state", "publish", "node:north", "-m", "as it is there", "--yes", "--watch"]).well();
    let desired = stands(&people, "north", Standing::Converged).await;
    holds(&changed, "better so").await;
    assert!(!gone.exists());
    assert_eq!(desired.state["resources"]["file/gone"]["spec"], json!({"path": gone, "ensure": "absent"}));
}
