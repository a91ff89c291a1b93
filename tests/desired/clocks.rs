//! A box whose clock jumps while its agent runs.

use serde_json::json;
use sortie_rules::desired::Standing;
use stories::{HandSet, Scene, on_sqlite};

use crate::help::{file, holds, keeping, publish, stands};

on_sqlite!(a_box_whose_clock_jumps_keeps_itself_in_order,);

async fn a_box_whose_clock_jumps_keeps_itself_in_order(scene: Scene) {
    let hub = scene.hub().start().await;
    let (people, clock) = (hub.people(), HandSet::new(&scene));
    let site = hub.site("north").await;
    let site = clock.variables().into_iter().fold(site, |site, (name, value)| site.variable(name, value));
    site.set_policy(&keeping(&site, ""));
    let _agent = site.start();
    let motd = site.files().join("motd");
    publish(&people, "org", json!({"resources": {"file/motd": file(&motd, "first")}})).await;
    stands(&people, "north", Standing::Converged).await;
    for (jump, before, after) in [("+400d", "first", "second"), ("-400d", "second", "third")] {
        clock.set(jump);
        std::fs::write(&motd, "by hand").unwrap();
        holds(&motd, before).await;
        publish(&people, "org", json!({"resources": {"file/motd": file(&motd, after)}})).await;
        holds(&motd, after).await;
        stands(&people, "north", Standing::Converged).await;
    }
    // The hub saw it jump, so it was the agent's clock that did.
    let skew = people.node("north").await.unwrap().clock_skew_ms;
    assert!(skew.is_some_and(|skew| skew.abs() > 300 * 86_400_000), "{skew:?}");
}
