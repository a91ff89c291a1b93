//! The hub away, the line cut.

use serde_json::json;
use sortie_rules::desired::Standing;
use stories::{Scene, on_both_engines};

use crate::help::{file, holds, keeper, publish, stands};

on_both_engines!(a_box_keeps_itself_in_order_while_the_hub_is_away);

async fn a_box_keeps_itself_in_order_while_the_hub_is_away(scene: Scene) {
    let hub = scene.hub().start().await;
    let people = hub.people();
    let (site, agent) = keeper(&hub, "north").await;
    let motd = site.files().join("motd");
    publish(&people, "org", json!({"resources": {"file/motd": file(&motd, "kept")}})).await;
    stands(&people, "north", Standing::Converged).await;
    let plan = hub.kill().await;
    std::fs::write(&motd, "by hand").unwrap();
    holds(&motd, "kept").await;
    // The agent starts with the hub away, and knows what it should be.
    agent.kill().await;
    std::fs::remove_file(&motd).unwrap();
    let _agent = site.start();
    holds(&motd, "kept").await;
    // What was published meanwhile, and how the box fares, is told when the hub is back.
    let hub = plan.start().await;
    publish(&hub.people(), "org", json!({"resources": {"file/motd": file(&motd, "anew")}})).await;
    holds(&motd, "anew").await;
    stands(&hub.people(), "north", Standing::Converged).await;
}
