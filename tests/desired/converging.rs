//! The way of a state from people to the node and back.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;
use sortie_rules::desired::{ConditionStatus, Layer, Standing};
use sortie_wire::desired::{DiffQuery, LayerShown, PublicationQuery, Publish, WriteDraft};
use sortie_wire::nodes::ChangeNode;
use sortie_wire::problem::ProblemCode;
use stories::{Scene, on_both_engines, until};

use crate::help::{condition, file, holds, keeper, layer, publish, stands};

on_both_engines!(
    a_node_becomes_what_its_layers_say_together,
    a_node_that_comes_later_or_moves_gets_what_stands,
    a_change_of_one_layer_reaches_only_its_nodes,
    what_nobody_can_publish_is_refused_with_the_place,
    two_who_draft_at_once_hear_of_each_other,
);

async fn a_node_becomes_what_its_layers_say_together(scene: Scene) {
    let hub = scene.hub().start().await;
    let people = hub.people();
    let (site, _agent) = keeper(&hub, "north").await;
    people.change_node("north", &ChangeNode { site: Some("berlin".into()), ..ChangeNode::default() }).await.unwrap();
    let (folder, motd) = (site.files().join("etc"), site.files().join("etc/motd"));
    let org = json!({"resources": {
        "directory/etc": { "spec": { "path": folder, "mode": "0750" } },
        "file/motd": { "spec": { "path": motd, "content": "from the org\n" }, "after": ["directory/etc"] },
        "file/away": file(&site.files().join("away"), "x"),
    }});
    publish(&people, "org", org).await;
    stands(&people, "north", Standing::Converged).await;
    holds(&motd, "from the org\n").await;
    assert_eq!(folder.metadata().unwrap().permissions().mode() & 0o777, 0o750);
    publish(&people, "site:berlin", json!({"resources": {"file/motd": {"spec": {"content": "from the site\n"}}}}))
        .await;
    publish(&people, "node:north", json!({"resources": {"file/motd": {"spec": {"mode": "0600"}}, "file/away": null}}))
        .await;
    let desired = stands(&people, "north", Standing::Converged).await;
    holds(&motd, "from the site\n").await;
    assert_eq!(motd.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert!(site.files().join("away").exists(), "what is not named any more is left as it is");
    assert_eq!(desired.generation, 3);
    let layers: Vec<_> = desired.layers.iter().map(|part| (part.layer, part.revision)).collect();
    assert_eq!(layers, [(Layer::Org, 1), (Layer::Site, 1), (Layer::Node, 1)]);
    let spec = &desired.state["resources"]["file/motd"]["spec"];
    assert_eq!(spec, &json!({"path": motd, "content": "from the site\n", "mode": "0600"}));
    assert_eq!(desired.origins["/resources/file~1motd/spec/content"], Layer::Site);
    assert_eq!(desired.origins["/resources/file~1motd/spec/path"], Layer::Org);
    assert_eq!(condition(&desired, "file/motd").0, ConditionStatus::InOrder);
    for kind in ["desired.published", "desired.converged"] {
        assert!(!hub.events(kind).await.is_empty(), "{kind}");
    }
}

async fn a_node_that_comes_later_or_moves_gets_what_stands(scene: Scene) {
    let hub = scene.hub().start().await;
    let people = hub.people();
    let (site, _agent) = keeper(&hub, "first").await;
    publish(
        &people,
        "org",
        json!({"resources": {"file/who": {"spec": {"path": site.files().join("who"), "content": "org"}}}}),
    )
    .await;
    stands(&people, "first", Standing::Converged).await;
    // A site may have a state before it has nodes.
    hub.sortie(&["site", "put", "berlin"]).well();
    publish(&people, "site:berlin", json!({"resources": {"file/who": {"spec": {"content": "berlin"}}}})).await;
    people.change_node("first", &ChangeNode { site: Some("berlin".into()), ..ChangeNode::default() }).await.unwrap();
    holds(&site.files().join("who"), "berlin").await;
    let later = hub.hand_node("later").await;
    let delivery = later.wait(1, 0).await;
    assert_eq!((delivery.desired_generation, people.node_desired("later").await.unwrap().layers.len()), (1, 1));
    people.change_node("first", &ChangeNode { site: Some(String::new()), ..ChangeNode::default() }).await.unwrap();
    holds(&site.files().join("who"), "org").await;
}

async fn a_change_of_one_layer_reaches_only_its_nodes(scene: Scene) {
    let hub = scene.hub().start().await;
    let people = hub.people();
    let (one, two) = (hub.hand_node("one").await, hub.hand_node("two").await);
    assert_eq!((one.wait(1, 0).await.desired_generation, two.wait(1, 0).await.desired_generation), (0, 0));
    let held = tokio::join!(one.wait(1, 30), async {
        // The hub holds the wait by then, or it has not come and hears of it at once.
        publish(&people, "node:one", json!({"resources": {}})).await
    });
    assert_eq!(held.0.desired_generation, 1, "a held wait ends when the state changes");
    assert_eq!(two.wait(1, 0).await.desired_generation, 0);
    assert_eq!(people.history(&layer("node:one"), &PublicationQuery::default()).await.unwrap().items.len(), 1);
}

async fn what_nobody_can_publish_is_refused_with_the_place(scene: Scene) {
    let hub = scene.hub().start().await;
    let people = hub.people();
    let _node = hub.hand_node("north").await;
    for (state, place) in [
        (json!({"resources": {"file/a": {"spec": {"path": "etc"}}}}), "/state/resources/file~1a/spec/path"),
        (json!({"resources": {"disk/a": {"spec": {}}}}), "/state/resources/disk~1a"),
        (
            json!({"resources": {"file/a": {"spec": {"path": "/a"}, "after": ["file/b"]}}}),
            "/state/resources/file~1a/after",
        ),
        (
            json!({"resources": {"file/a": {"spec": {"path": "/a", "content": {"$secret": "none"}}}}}),
            "/state/resources/file~1a/spec/content",
        ),
        (json!({"resource": {}}), "/state"),
    ] {
        let publish = Publish { state: Some(state.clone()), message: "m".to_owned(), ..Publish::default() };
        let refused = people.publish(&layer("org"), &publish, None).await.unwrap_err();
        let problem = refused.problem().unwrap_or_else(|| panic!("{state}: {refused}"));
        assert_eq!(problem.pointer.as_deref(), Some(place), "{problem:?}");
    }
    let no_message = Publish { state: Some(json!({})), ..Publish::default() };
    let refused = people.publish(&layer("org"), &no_message, None).await.unwrap_err();
    assert_eq!(refused.problem().unwrap().pointer.as_deref(), Some("/message"));
    let refused = people.layer(&layer("node:nobody")).await.unwrap_err();
    assert_eq!(refused.problem().unwrap().code, ProblemCode::UnknownNode);
}

async fn two_who_draft_at_once_hear_of_each_other(scene: Scene) {
    let hub = scene.hub().start().await;
    let (people, org) = (hub.people(), layer("org"));
    let draft = |content: &str, version| WriteDraft {
        state: json!({"resources": {"command/x": {"spec": {"is": content}}}}),
        based_on: 0,
        version,
    };
    let first = people.write_draft(&org, &draft("one", 0)).await.unwrap();
    let refused = people.write_draft(&org, &draft("two", 0)).await.unwrap_err();
    let problem = refused.problem().unwrap();
    assert_eq!(problem.code, ProblemCode::Conflict);
    let there: LayerShown = serde_json::from_value(problem.current.clone().expect("what is there")).unwrap();
    assert_eq!(there.draft, first.draft, "whoever comes second is told what is there beside theirs");
    let version = first.draft.unwrap().version;
    people.write_draft(&org, &draft("two", version)).await.unwrap();
    let diff = people.layer_diff(&org, &DiffQuery::default()).await.unwrap();
    assert_eq!((diff.changes.len(), diff.nodes), (1, 0));
    // A publication takes the draft with it; whoever publishes on what they saw before is told.
    let publish = |after| Publish { message: "m".to_owned(), after: Some(after), ..Publish::default() };
    people.publish(&org, &publish(0), None).await.unwrap();
    let refused = people.publish(&org, &publish(0), None).await.unwrap_err();
    assert_eq!(refused.problem().unwrap().code, ProblemCode::Conflict);
    until("the layer stands", async || (people.layer(&org).await.unwrap().stands == 1).then_some(())).await;
}
