//! Operations that wait for signatures no more, and what is told to whoever comes to sign them.

use serde_json::json;
use sortie_rules::time::Span;
use sortie_wire::operations::{Operation, OperationStatus};
use sortie_wire::problem::ProblemCode::OperationOver;
use stories::{
    HandNode, Operator, RunningHub, Scene, now, on_both_engines, on_sqlite, signed_statement, statement_of, until,
};

use crate::help::{PASSPHRASE, Person, bring, brought, propose, signed};

on_both_engines!(an_operation_ends_when_what_was_signed_first_does);
on_sqlite!(
    what_the_hub_refuses_of_one_does_not_keep_the_others_waiting,
    a_command_that_signed_nothing_does_not_end_well,
    what_cannot_be_rejected_or_cancelled_is_told_with_what_can,
);

/// How long what was signed first holds here.
const HOLDS: Span = Span::seconds(3);

async fn an_operation_ends_when_what_was_signed_first_does(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("box").await;
    let (eve, ada) = (Operator::new("eve"), Person::new(&scene, "ada"));
    let operation = propose(&hub, "box", 2).await;
    let begun = now();
    let mut statement = statement_of(&operation, eve.key(), begun);
    statement.expires_at = begun + HOLDS;
    let envelope = signed_statement(&statement, &[&eve]);
    let waits = brought(&hub, operation.id, &envelope).await;
    assert_eq!(waits["ends_at"], json!(statement.expires_at), "nobody can sign another text");
    let over = until("it is over", async || {
        let shown = hub.people().operation(operation.id).await.unwrap();
        (shown.status == OperationStatus::Expired).then_some(shown)
    })
    .await;
    assert_eq!((over.ended_at, over.ends_at), (Some(statement.expires_at), statement.expires_at));
    assert!(over.message.as_deref().is_some_and(|message| message.contains("1 of 2 signatures")), "{over:?}");
    let mut late = envelope.clone();
    Operator::new("bob").sign(&mut late);
    bring(&hub, operation.id, &late).await.is_problem(OperationOver, None);
    let later = propose(&hub, "box", 1).await;
    assert_eq!(hub.sortie_json(&["op", "list", "--pending"])["items"].as_array().unwrap().len(), 1);
    let told = ada.says(Some(&hub), &["sign", "--pending", "--yes"], "").well();
    assert_eq!(told.stdout.trim(), later.id.to_string(), "{told:?}");
    assert_eq!(node.take_one().await.id, later.id);
    let shown = hub.sortie(&["op", "show", &operation.id.to_string()]).well();
    assert!(shown.stdout.contains("ended") && !shown.stderr.contains("Sign it"), "{shown:?}");
    until("it is written down", async || (!hub.events("operation.expired").await.is_empty()).then_some(())).await;
    assert_eq!(hub.people().operation(operation.id).await.unwrap().ended_at, over.ended_at);
}

/// An operation for an agent that is no more, since its node has enrolled anew.
async fn for_another_key(hub: &RunningHub<'_>) -> Operation {
    hub.hand_node("box").await;
    let operation = propose(hub, "box", 1).await;
    let invite = hub.sortie_json(&["invite", "create", "--node", "box", "--replace"]);
    hub.hand_node_with(invite["invite"].as_str().unwrap()).await;
    operation
}

async fn what_the_hub_refuses_of_one_does_not_keep_the_others_waiting(scene: Scene) {
    let hub = scene.hub().start().await;
    let ada = Person::new(&scene, "ada");
    let refused = for_another_key(&hub).await.id.to_string();
    let taken = propose(&hub, "box", 1).await.id.to_string();
    let told = ada.says(Some(&hub), &["sign", "--pending", "--yes"], "");
    assert_eq!((told.code, told.stdout.trim()), (Some(3), taken.as_str()), "{told:?}");
    let words = format!("Operation {refused} is not signed: the node has another key");
    assert!(told.stderr.contains(&words), "{told:?}");
}

async fn a_command_that_signed_nothing_does_not_end_well(scene: Scene) {
    let hub = scene.hub().start().await;
    hub.hand_node("box").await;
    let ada = Person::new(&scene, "ada");
    let operation = propose(&hub, "box", 2).await;
    let id = operation.id.to_string();
    ada.answers(&hub, &["sign", &id], "n\n").failed(1, &["Not signed."]);
    ada.answers(&hub, &["sign", "--pending"], "").failed(1, &["Not signed."]);
    ada.answers(&hub, &["sign", &id], &format!("y\n{PASSPHRASE}\n")).well();
    let again = ada.answers(&hub, &["sign", &id], "").well();
    assert!(again.stderr.contains("bears this key's signature already"), "it is as it should be: {again:?}");
    hub.sortie(&["op", "reject", &id]).well();
    ada.answers(&hub, &["sign", &id], "").failed(1, &["does not wait for signatures", "rejected"]);
}

async fn what_cannot_be_rejected_or_cancelled_is_told_with_what_can(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("box").await;
    let eve = Operator::new("eve");
    let operation = propose(&hub, "box", 1).await;
    let id = operation.id.to_string();
    hub.sortie(&["task", "cancel", &id]).failed(3, &["no task before it is signed", &format!("op reject {id}")]);
    brought(&hub, operation.id, &signed(&operation, &[&eve])).await;
    hub.sortie(&["op", "reject", &id]).failed(3, &[&format!("task cancel {id}"), "operation_over (409)"]);
    let handed = node.take_one().await;
    node.report(&HandNode::completed(&handed, json!({ "slept_ms": 1 }))).await.unwrap();
    let over = hub.sortie(&["op", "reject", &id]);
    over.failed(3, &["it is completed", "operation_over (409)"]);
    assert!(!over.stderr.contains("task cancel") && !over.stderr.contains("released"), "{over:?}");
}
