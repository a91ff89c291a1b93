//! Revisions that are old: they go when nobody needs them.

use serde_json::json;
use sortie_rules::desired::Standing;
use sortie_wire::desired::{PublicationQuery, Publish};
use sortie_wire::problem::ProblemCode;
use stories::{Scene, on_both_engines, until};

use crate::help::{file, holds, keeper, layer, over, publish, publish_as, stands};

on_both_engines!(a_revision_goes_in_time_unless_a_node_has_it_or_it_stands);

async fn a_revision_goes_in_time_unless_a_node_has_it_or_it_stands(scene: Scene) {
    let hub = scene.hub().start().await;
    let people = hub.people();
    let (site, _agent) = keeper(&hub, "north").await;
    let motd = site.files().join("motd");
    for content in ["one", "two", "three"] {
        publish(&people, "org", json!({"resources": {"file/motd": file(&motd, content)}})).await;
        stands(&people, "north", Standing::Converged).await;
    }
    // The newest is for another node, so that what stands and what this one has is an earlier one.
    let _other = hub.hand_node("south").await;
    let south = serde_json::from_value(json!({"names": ["south"]})).unwrap();
    let state = Some(json!({"resources": {"file/motd": file(&motd, "four")}}));
    let publish = Publish { message: "m".to_owned(), selector: Some(south), state, ..Publish::default() };
    over(&people, &publish_as(&people, "org", publish).await).await;
    let plan = hub.stop().await.0.setting("retention.publications_d", 0);
    // Nothing of a layer is forgotten soon after something has happened to it.
    plan.sql("update publications set finished_at = finished_at - 3600000");
    let hub = plan.start().await;
    let people = hub.people();
    until("the revisions that nobody needs are gone", async || {
        let page = people.history(&layer("org"), &PublicationQuery::default()).await.unwrap();
        let left: Vec<u64> = page.items.iter().map(|one| one.revision).collect();
        (left == [4, 3]).then_some(())
    })
    .await;
    let back = |revision| Publish { message: "back".to_owned(), revision: Some(revision), ..Publish::default() };
    let refused = people.publish(&layer("org"), &back(1), None).await.unwrap_err();
    let problem = refused.problem().unwrap();
    assert_eq!(problem.code, ProblemCode::UnknownRevision);
    assert!(problem.detail.contains("retention.publications_d"), "{problem}");
    // What is left can be gone back to, and the node has it still.
    holds(&motd, "three").await;
    people.publish(&layer("org"), &back(4), None).await.expect("it is there");
    holds(&motd, "four").await;
}
