//! What became of privileged work stands in the audit log beside who proposed and who signed it.

use http::Method;
use serde_json::{Value, json};
use sortie_rules::tasks::Status;
use sortie_wire::deliveries::HandedTask;
use sortie_wire::operations::Operation;
use stories::{HandNode, Operator, RunningHub, Scene, on_both_engines, signed_statement, statement_of};

use crate::help::{ask, audit, export, verify};

on_both_engines!(the_end_of_an_operation_stands_in_the_audit_log);

/// Proposes an operation for the node and has it signed.
async fn order(hub: &RunningHub<'_>, by: &Operator) -> Operation {
    let proposal = json!({ "type": "sleep", "node": "box", "payload": { "ms": 0 } });
    let proposed = ask(hub, Method::POST, "/api/v1/operations", &proposal).await.json();
    let operation: Operation = serde_json::from_value(proposed).expect("an operation");
    let envelope = signed_statement(&statement_of(&operation, by.key(), operation.proposed_at), &[by]);
    ask(hub, Method::POST, &format!("/api/v1/operations/{}/signatures", operation.id), &json!(envelope)).await;
    operation
}

/// Orders one and has the node take it.
async fn taken(hub: &RunningHub<'_>, by: &Operator, node: &HandNode) -> HandedTask {
    let operation = order(hub, by).await;
    let handed = node.take_one().await;
    assert_eq!(handed.id, operation.id);
    handed
}

/// The entries of its ends, newest first.
async fn ends(hub: &RunningHub<'_>, id: impl std::fmt::Display) -> Vec<Value> {
    let found = audit(hub, &format!("action=operation.end&object={id}")).await;
    found.into_iter().map(|link| link["entry"].clone()).collect()
}

async fn the_end_of_an_operation_stands_in_the_audit_log(scene: Scene) {
    let hub = scene.hub().start().await;
    let (node, ada) = (hub.hand_node("box").await, Operator::new("ada"));

    let done = taken(&hub, &ada, &node).await;
    let result = json!({ "slept_ms": 0 });
    let report = HandNode::completed(&done, result.clone());
    node.report(&report).await.expect("it is taken");
    // The same once more changes nothing.
    node.report(&report).await.expect("it is taken");
    let [entry] = &ends(&hub, done.id).await[..] else { panic!("one end, one entry") };
    let by = json!({ "by": "node", "key": format!("node:{}", node.id), "name": "box" });
    assert_eq!((&entry["actor"], &entry["outcome"]), (&by, &json!("done")), "{entry}");
    assert_eq!((&entry["object"]["kind"], &entry["object"]["name"]), (&json!("operation"), &json!("sleep")));
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, result.to_string().as_bytes());
    let digest: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let changes = json!({ "node": node.id, "status": "completed", "attempt": 1, "result_sha256": digest });
    assert_eq!(entry["changes"], changes);
    assert!(!entry.to_string().contains("slept_ms"), "not the result itself");

    let refused = taken(&hub, &ada, &node).await;
    node.report(&HandNode::failed(&refused, "exit_code", false)).await.expect("it is taken");
    let [entry] = &ends(&hub, refused.id).await[..] else { panic!("one end, one entry") };
    assert_eq!((&entry["changes"]["status"], &entry["changes"]["code"]), (&json!("failed"), &json!("exit_code")));

    // Called off before anybody took it: who did so has an entry of their own.
    let off = order(&hub, &ada).await;
    hub.people().cancel_task(off.id).await.expect("it waits");
    let [entry] = &ends(&hub, off.id).await[..] else { panic!("one end, one entry") };
    assert_eq!((&entry["actor"]["by"], &entry["changes"]["code"]), (&json!("hub"), &json!("cancelled")), "{entry}");

    // What no operator has signed is told by events alone.
    let routine = hub.submit("box", "sleep", json!({ "ms": 0 })).await;
    node.report(&HandNode::completed(&node.take_one().await, result)).await.expect("it is taken");
    assert_eq!(hub.ended(routine).await.summary.status, Status::Completed);
    assert!(ends(&hub, routine).await.is_empty());
    verify(&export(&hub, "log"), &[]).well();
}
