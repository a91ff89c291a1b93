//! The sets of operators at the hub: each follows by the word of enough members of the one before.

use http::Method;
use serde_json::json;
use sortie_wire::operators::{OperatorChain, Operators};
use sortie_wire::problem::ProblemCode::OperatorsInvalid;
use stories::{Operator, Scene, on_both_engines, on_sqlite, signed_set};

on_both_engines!(sets_follow_each_other_and_agents_get_the_whole_chain);
on_sqlite!(a_set_that_does_not_follow_is_refused, every_delivery_names_the_newest_set);

async fn sets_follow_each_other_and_agents_get_the_whole_chain(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("box").await;
    let (ada, bob) = (Operator::new("ada"), Operator::new("bob"));
    let first = signed_set(1, 1, &[&ada], &[&ada]);
    let second = signed_set(2, 2, &[&ada, &bob], &[&ada]);
    for link in [&first, &second, &second] {
        hub.people().publish_operators(link).await.unwrap();
    }
    let hub = hub.kill().await.start().await;
    let listed = hub.people().operators().await.unwrap().items;
    assert_eq!(listed.iter().map(|one| one.set.version).collect::<Vec<_>>(), [1, 2]);
    let answer = node.request(Method::GET, "/operators").send().await;
    let chain: OperatorChain = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(Operators::of(&chain).unwrap().fingerprint(), listed[1].fingerprint);
    let rest = node.request(Method::GET, "/operators?after=1").send().await;
    assert_eq!(rest.json(), json!({ "links": [second] }));
    assert_eq!(hub.events("operators.published").await.len(), 2);
}

async fn a_set_that_does_not_follow_is_refused(scene: Scene) {
    let hub = scene.hub().start().await;
    let (ada, bob, eve) = (Operator::new("ada"), Operator::new("bob"), Operator::new("eve"));
    let publish = async |link| hub.request(Method::POST, "/api/v1/operators").json(&json!(link)).send().await;
    publish(signed_set(2, 1, &[&ada], &[&ada])).await.is_problem(OperatorsInvalid, None);
    publish(signed_set(1, 1, &[&ada], &[&eve])).await.is_problem(OperatorsInvalid, None);
    assert_eq!(publish(signed_set(1, 2, &[&ada, &bob], &[&ada, &bob])).await.status, 201);
    for (what, link) in [
        ("too few", signed_set(2, 1, &[&ada], &[&ada])),
        ("a stranger", signed_set(2, 1, &[&eve], &[&eve])),
        ("the same version", signed_set(1, 1, &[&ada], &[&ada, &bob])),
        ("a version left out", signed_set(3, 1, &[&ada], &[&ada, &bob])),
        ("nobody", signed_set(2, 1, &[], &[&ada, &bob])),
        ("more than there are", signed_set(2, 3, &[&ada], &[&ada, &bob])),
        ("one key twice", signed_set(2, 1, &[&ada, &ada], &[&ada, &bob])),
    ] {
        let problem = publish(link).await.problem();
        assert_eq!(problem.code, OperatorsInvalid, "{what}: {problem:?}");
    }
    assert_eq!(hub.people().operators().await.unwrap().items.len(), 1);
    assert_eq!(publish(signed_set(2, 1, &[&eve], &[&ada, &bob])).await.status, 201);
}

async fn every_delivery_names_the_newest_set(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("box").await;
    let ada = Operator::new("ada");
    assert_eq!(node.wait(1, 0).await.operators_version, 0);
    hub.people().publish_operators(&signed_set(1, 1, &[&ada], &[&ada])).await.unwrap();
    assert_eq!(node.wait(1, 0).await.operators_version, 1);
    hub.people().publish_operators(&signed_set(2, 1, &[&ada], &[&ada])).await.unwrap();
    assert_eq!(node.wait(1, 0).await.operators_version, 2);
}
