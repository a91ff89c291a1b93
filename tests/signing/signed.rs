//! An operation from its proposal to its node.

use serde_json::json;
use sortie_wire::operations::{OperationStatus, Statement};
use sortie_wire::operators::open_operation;
use sortie_wire::problem::ProblemCode::{NotRequeueable, OperationOver, OtherStatement};
use stories::{HandNode, Operator, Scene, on_both_engines, on_sqlite, signed_set, statement_of};

use crate::help::{bring, brought, propose, signed};

on_both_engines!(
    what_an_operator_signed_reaches_the_node_as_it_was_signed,
    an_operation_waits_for_as_many_signatures_as_were_asked_for,
    what_was_signed_outlives_the_hub_s_process,
);
on_sqlite!(
    an_operation_that_was_rejected_is_not_signed_any_more,
    an_operation_is_carried_out_once,
    two_who_sign_at_once_are_both_counted,
);

async fn what_an_operator_signed_reaches_the_node_as_it_was_signed(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("box").await;
    let ada = Operator::new("ada");
    let operation = propose(&hub, "box", 1).await;
    assert_eq!((operation.status, operation.target.node), (OperationStatus::AwaitingSignature, node.id));
    assert!(node.wait(1, 0).await.tasks.is_empty(), "nothing goes out that nobody signed");
    let envelope = signed(&operation, &[&ada]);
    let after = brought(&hub, operation.id, &envelope).await;
    assert_eq!(after["status"], json!("pending"));
    let handed = node.take_one().await;
    assert_eq!((handed.id, handed.run, handed.type_name.as_str()), (operation.id, 1, "sleep"));
    assert_eq!(handed.operation.as_deref(), Some(&envelope), "byte for byte");
    let statement: Statement = serde_json::from_slice(&open_operation(&envelope).unwrap().message).unwrap();
    assert_eq!(handed.not_after, Some(statement.expires_at));
    let delivered = hub.people().operation(operation.id).await.unwrap();
    assert_eq!(delivered.status, OperationStatus::Delivered);
    node.report(&HandNode::completed(&handed, json!({ "slept_ms": 1 }))).await.unwrap();
    let told = hub.people().operation(operation.id).await.unwrap();
    assert_eq!(told.status, OperationStatus::Completed);
    let kinds: Vec<String> = hub.events("operation").await.into_iter().map(|event| event.kind).collect();
    assert_eq!(kinds, ["operation.proposed", "operation.signed"]);
}

async fn an_operation_waits_for_as_many_signatures_as_were_asked_for(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("box").await;
    let (ada, bob) = (Operator::new("ada"), Operator::new("bob"));
    let link = signed_set(1, 1, &[&ada, &bob], &[&ada]);
    hub.people().publish_operators(&link).await.unwrap();
    let operation = propose(&hub, "box", 2).await;
    let statement = statement_of(&operation, ada.key(), operation.proposed_at);
    let by = |who: &[&Operator]| stories::signed_statement(&statement, who);
    let once = brought(&hub, operation.id, &by(&[&ada])).await;
    assert_eq!((&once["status"], &once["signed_by"][0]["name"]), (&json!("awaiting_signature"), &json!("ada")));
    let again = brought(&hub, operation.id, &by(&[&ada])).await;
    assert_eq!(again["signed_by"].as_array().unwrap().len(), 1, "the same signature counts once");
    let other_text = bring(&hub, operation.id, &signed(&operation, &[&bob])).await;
    other_text.is_problem(OtherStatement, None);
    assert!(node.wait(1, 0).await.tasks.is_empty());
    let twice = brought(&hub, operation.id, &by(&[&bob])).await;
    assert_eq!(twice["status"], json!("pending"));
    let handed = node.take_one().await;
    let open = open_operation(&handed.operation.unwrap()).unwrap();
    assert_eq!(open.keys, [ada.key().clone(), bob.key().clone()]);
}

async fn what_was_signed_outlives_the_hub_s_process(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("box").await;
    let (ada, bob) = (Operator::new("ada"), Operator::new("bob"));
    let operation = propose(&hub, "box", 2).await;
    let statement = statement_of(&operation, ada.key(), operation.proposed_at);
    brought(&hub, operation.id, &stories::signed_statement(&statement, &[&ada])).await;
    let hub = hub.kill().await.start().await;
    brought(&hub, operation.id, &stories::signed_statement(&statement, &[&bob])).await;
    let hub = hub.kill().await.start().await;
    let handed = node.take_one().await;
    assert_eq!(open_operation(&handed.operation.unwrap()).unwrap().keys.len(), 2);
    assert_eq!(hub.people().operation(operation.id).await.unwrap().status, OperationStatus::Delivered);
}

async fn an_operation_that_was_rejected_is_not_signed_any_more(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("box").await;
    let (operation, other) = (propose(&hub, "box", 1).await, propose(&hub, "box", 1).await);
    let told = hub.sortie_json(&["op", "reject", &operation.id.to_string(), "--reason", "not today"]);
    assert_eq!((&told["status"], told["message"].as_str().unwrap().contains("not today")), (&json!("rejected"), true));
    let ada = Operator::new("ada");
    bring(&hub, operation.id, &signed(&operation, &[&ada])).await.is_problem(OperationOver, None);
    let again = hub.sortie(&["op", "reject", &operation.id.to_string()]);
    again.failed(3, &["waits for signatures no more", "rejected"]);
    brought(&hub, other.id, &signed(&other, &[&ada])).await;
    assert_eq!(node.take_one().await.id, other.id);
    hub.sortie(&["op", "reject", &other.id.to_string()]).failed(3, &["sortie task cancel"]);
}

async fn an_operation_is_carried_out_once(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("box").await;
    let operation = propose(&hub, "box", 1).await;
    let ada = Operator::new("ada");
    let envelope = signed(&operation, &[&ada]);
    brought(&hub, operation.id, &envelope).await;
    let handed = node.take_one().await;
    node.report(&HandNode::failed(&handed, "handler_failed", false)).await.unwrap();
    assert_eq!(hub.people().operation(operation.id).await.unwrap().status, OperationStatus::Failed);
    let refused = hub.people().requeue_task(operation.id).await.unwrap_err();
    assert_eq!(refused.problem().unwrap().code, NotRequeueable);
    let again = brought(&hub, operation.id, &envelope).await;
    assert_eq!(again["status"], json!("failed"), "the same signature again changes nothing");
    let eve = Operator::new("eve");
    let mut more = envelope.clone();
    eve.sign(&mut more);
    bring(&hub, operation.id, &more).await.is_problem(OperationOver, None);
}

async fn two_who_sign_at_once_are_both_counted(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("box").await;
    let people: Vec<Operator> = ["ada", "bob", "cleo", "dan"].map(Operator::new).into();
    let operation = propose(&hub, "box", 4).await;
    let statement = statement_of(&operation, people[0].key(), operation.proposed_at);
    let envelopes: Vec<_> = people.iter().map(|one| stories::signed_statement(&statement, &[one])).collect();
    let brought = envelopes.iter().map(|envelope| async {
        // Whoever comes second to the same moment is told to try again.
        while bring(&hub, operation.id, envelope).await.status != 200 {}
    });
    futures_util::future::join_all(brought).await;
    let handed = node.take_one().await;
    assert_eq!(open_operation(&handed.operation.unwrap()).unwrap().keys.len(), 4);
}
