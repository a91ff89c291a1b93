//! A hub that was restored from a backup, and knows less than its nodes.

use serde_json::json;
use sortie_rules::desired::Standing;
use stories::{Scene, on_sqlite};

use crate::help::{file, holds, keeper, publish, stands};

on_sqlite!(a_restored_hub_goes_on_above_what_its_nodes_have_accepted,);

async fn a_restored_hub_goes_on_above_what_its_nodes_have_accepted(scene: Scene) {
    let hub = scene.hub().start().await;
    let people = hub.people();
    let (site, _agent) = keeper(&hub, "north").await;
    let motd = site.files().join("motd");
    let state = |content: &str| json!({"resources": {"file/motd": file(&motd, content)}});
    publish(&people, "org", state("one")).await;
    stands(&people, "north", Standing::Converged).await;
    let backup = scene.folder().join("backup.sortie");
    hub.sortie(&["backup", "--to", backup.to_str().unwrap()]).well();
    for content in ["two", "three"] {
        publish(&people, "org", state(content)).await;
        stands(&people, "north", Standing::Converged).await;
    }
    holds(&motd, "three").await;
    let plan = hub.stop().await.0;
    let restored = plan.anew("restored");
    stories::Ended::of(&mut restored.tool(&["restore", "--from", backup.to_str().unwrap()])).well();
    let hub = restored.start().await;
    // What stood at the backup holds again, under a generation above the one that was accepted.
    holds(&motd, "one").await;
    let desired = stands(&hub.people(), "north", Standing::Converged).await;
    assert!(desired.generation > 3, "{}", desired.generation);
}
