//! Resources that the hub itself enforces at the edge: they come, change and go with what is published, and nobody
//! else's rules are touched.

use serde_json::{Value, json};
use sortie_rules::desired::{ConditionStatus, Standing};
use sortie_wire::desired::Publish;
use sortie_wire::nodes::ChangeNode;
use sortie_wire::problem::ProblemCode;
use stories::{Edge, Scene, on_both_engines, on_sqlite, until};

use crate::at_edge::{
    OTHER_ZONE, RULES, TOKEN, ZONE, at_edge, edge, enforced, geo, is, is_forgotten, lets_all_in, lets_in, ours,
    set_token, state, theirs,
};
use crate::help::{condition, file, holds, keeper, layer, publish, stands};

on_both_engines!(
    rules_stand_at_the_edge_as_they_are_published_and_go_with_one_publication,
    rules_follow_the_node_to_its_site_and_go_when_it_is_revoked,
);
on_sqlite!(
    what_is_changed_at_the_edge_is_corrected_or_only_told_of,
    a_node_knows_nothing_of_what_the_hub_enforces,
    rules_that_could_not_be_enforced_are_not_published,
);

async fn rules_stand_at_the_edge_as_they_are_published_and_go_with_one_publication(scene: Scene) {
    let edge = edge().await;
    edge.token(OTHER_ZONE, TOKEN);
    let hub = at_edge(scene.hub(), &edge).start().await;
    let people = hub.people();
    hub.hand_node("box").await;
    set_token(&people, TOKEN).await;
    publish(&people, "org", state(&geo(ZONE, &["AT", "HU"]))).await;
    let first = lets_in(&edge, ZONE, &["AT", "HU"]).await;
    let shown = is(&people, "box", ConditionStatus::InOrder, None).await;
    assert_eq!((shown.condition.resource.to_string().as_str(), shown.zone.as_deref()), (RULES, Some(ZONE)));
    assert!(shown.condition.applied_at.is_some() && !shown.is_leaving);
    assert!(first["description"].as_str().unwrap().contains("geo.rules/main of box"), "{first}");
    // A change puts another rule in its place; what others have in the zone stays.
    publish(&people, "node:box", state(&json!({"spec": {"countries": ["DE"]}}))).await;
    let second = lets_in(&edge, ZONE, &["DE"]).await;
    assert_eq!(first["id"], second["id"]);
    // A zone in which nobody had a rule yet.
    publish(&people, "node:box", state(&json!({"spec": {"zone": OTHER_ZONE}}))).await;
    lets_in(&edge, OTHER_ZONE, &["AT", "HU"]).await;
    lets_all_in(&edge, ZONE).await;
    is(&people, "box", ConditionStatus::InOrder, None).await;
    assert_eq!(edge.rules(ZONE), [theirs()]);
    publish(&people, "node:box", state(&Value::Null)).await;
    lets_all_in(&edge, OTHER_ZONE).await;
    is_forgotten(&people, "box").await;
    let told = hub.events("desired").await;
    let kinds = told.iter().map(|event| event.kind.as_str());
    let kinds: Vec<&str> = kinds.filter(|kind| kind.starts_with("desired.enforce")).collect();
    assert_eq!(kinds.iter().filter(|kind| **kind == "desired.enforced").count(), 3, "{kinds:?}");
    assert_eq!(kinds.iter().filter(|kind| **kind == "desired.enforcement_ended").count(), 2, "{kinds:?}");
    assert_eq!(kinds.len(), 5, "{kinds:?}");
    // What stood before stands again with a rollback.
    let back = Publish { revision: Some(1), message: "back".into(), ..Publish::default() };
    people.publish(&layer("node:box"), &back, None).await.unwrap();
    lets_in(&edge, ZONE, &["DE"]).await;
}

async fn rules_follow_the_node_to_its_site_and_go_when_it_is_revoked(scene: Scene) {
    let edge = edge().await;
    let hub = at_edge(scene.hub(), &edge).start().await;
    let people = hub.people();
    set_token(&people, TOKEN).await;
    hub.sortie(&["site", "put", "berlin"]).well();
    publish(&people, "site:berlin", state(&geo(ZONE, &["DE"]))).await;
    hub.hand_node("box").await;
    assert_eq!(enforced(&people, "box").await, []);
    let change = |site: &str| ChangeNode { site: Some(site.to_owned()), ..ChangeNode::default() };
    people.change_node("box", &change("berlin")).await.unwrap();
    lets_in(&edge, ZONE, &["DE"]).await;
    people.change_node("box", &change("")).await.unwrap();
    lets_all_in(&edge, ZONE).await;
    people.change_node("box", &change("berlin")).await.unwrap();
    lets_in(&edge, ZONE, &["DE"]).await;
    people.revoke_node("box").await.unwrap();
    lets_all_in(&edge, ZONE).await;
    is_forgotten(&people, "box").await;
    assert_eq!(edge.rules(ZONE), [theirs()]);
}

async fn what_is_changed_at_the_edge_is_corrected_or_only_told_of(scene: Scene) {
    let edge = edge().await;
    let hub = at_edge(scene.hub(), &edge).start().await;
    let people = hub.people();
    hub.hand_node("box").await;
    set_token(&people, TOKEN).await;
    publish(&people, "node:box", state(&geo(ZONE, &["HU"]))).await;
    lets_in(&edge, ZONE, &["HU"]).await;
    is(&people, "box", ConditionStatus::InOrder, None).await;
    edge.edit(ZONE, |rules| rules.retain(|rule| rule["id"] == "theirs"));
    lets_in(&edge, ZONE, &["HU"]).await;
    switch_off(&edge);
    lets_in(&edge, ZONE, &["HU"]).await;
    edge.edit(ZONE, |rules| {
        let twice = rules.iter().find(|rule| rule["id"] != "theirs").cloned();
        rules.extend(twice.map(|mut rule| {
            rule["id"] = "twice".into();
            rule
        }));
    });
    until("the second one is gone", async || (ours(&edge, ZONE).len() == 1).then_some(())).await;
    // It never stood otherwise for people: one event, when it came.
    assert_eq!(hub.events("desired.enforced").await.len(), 1);
    let mut only_told = geo(ZONE, &["HU"]);
    only_told["drift"] = "report".into();
    publish(&people, "node:box", state(&only_told)).await;
    until("its drift is known", async || {
        let state = people.node_desired("box").await.unwrap().state;
        (state["resources"][RULES]["drift"] == "report").then_some(())
    })
    .await;
    is(&people, "box", ConditionStatus::InOrder, None).await;
    switch_off(&edge);
    is(&people, "box", ConditionStatus::Drifted, Some("otherwise")).await;
    assert_eq!(ours(&edge, ZONE)[0]["enabled"], false, "nobody has touched it");
    assert_eq!(hub.events("desired.enforcement_drifted").await.len(), 1);
    let printed = hub.sortie(&["state", "node", "box"]).well().stdout;
    assert!(printed.contains("ENFORCED BY THE HUB") && printed.contains("somebody has changed"), "{printed}");
}

/// Somebody switches the hub's rule off.
fn switch_off(edge: &Edge) {
    edge.edit(ZONE, |rules| {
        rules.iter_mut().filter(|rule| rule["id"] != "theirs").for_each(|rule| rule["enabled"] = false.into());
    });
}

async fn a_node_knows_nothing_of_what_the_hub_enforces(scene: Scene) {
    let edge = edge().await;
    let hub = at_edge(scene.hub(), &edge).start().await;
    let people = hub.people();
    let (site, _agent) = keeper(&hub, "box").await;
    set_token(&people, TOKEN).await;
    let motd = site.files().join("motd");
    let both = json!({"resources": {"file/motd": file(&motd, "hello"), RULES: geo(ZONE, &["HU"])}});
    publish(&people, "node:box", both).await;
    lets_in(&edge, ZONE, &["HU"]).await;
    holds(&motd, "hello").await;
    // The node is in order with what it has, and says nothing of the rest.
    let desired = stands(&people, "box", Standing::Converged).await;
    assert_eq!(condition(&desired, "file/motd").0, ConditionStatus::InOrder);
    assert_eq!(desired.observed.unwrap().observed.conditions.len(), 1);
    assert!(!site.log().contains("geo.rules"), "{}", site.log());
}

async fn rules_that_could_not_be_enforced_are_not_published(scene: Scene) {
    let edge = edge().await;
    let hub = at_edge(scene.hub(), &edge).start().await;
    let people = hub.people();
    hub.hand_node("box").await;
    set_token(&people, TOKEN).await;
    let at = "/state/resources/geo.rules~1main";
    let with = |name: &str, value: Value| {
        let mut rules = geo(ZONE, &["HU"]);
        rules["spec"][name] = value;
        state(&rules)
    };
    let mut after = state(&geo(ZONE, &["HU"]));
    after["resources"]["file/motd"] = json!({"spec": {"path": "/etc/motd", "content": "x"}});
    let mut after_a_file = after.clone();
    after_a_file["resources"][RULES]["after"] = json!(["file/motd"]);
    after["resources"]["file/motd"]["after"] = json!([RULES]);
    for (state, pointer) in [
        (with("token", TOKEN.into()), format!("{at}/spec/token")),
        (with("countries", json!(["XX"])), format!("{at}/spec/countries/0")),
        (with("countries", json!(["hu"])), format!("{at}/spec/countries/0")),
        (with("zone", "../../user".into()), format!("{at}/spec/zone")),
        (with("hostnames", json!(["a.b\" or true"])), format!("{at}/spec/hostnames/0")),
        (with("mode", "challenge".into()), format!("{at}/spec/mode")),
        (with("countries", json!([])), format!("{at}/spec/countries")),
        (after, "/state/resources/file~1motd/after".to_owned()),
        (after_a_file, format!("{at}/after")),
    ] {
        let publish = Publish { state: Some(state), message: "no".into(), ..Publish::default() };
        let refused = people.publish(&layer("node:box"), &publish, None).await.unwrap_err();
        let problem = refused.problem().unwrap();
        assert_eq!((problem.code, problem.pointer.as_deref()), (ProblemCode::StateInvalid, Some(pointer.as_str())));
        assert!(!problem.detail.contains(TOKEN), "{problem:?}");
    }
    assert_eq!(edge.calls().len(), 0);
}
