//! What several of these stories share.

use http::Method;
use serde_json::{Value, json};
use sortie_rules::ids::TaskId;
use sortie_wire::envelope::Envelope;
use sortie_wire::operations::{Operation, ProposeOperation};
use stories::{Answer, Operator, RunningHub, signed_statement, statement_of};

/// Proposes something that hurts nobody.
pub(crate) async fn propose(hub: &RunningHub<'_>, node: &str, signatures: u32) -> Operation {
    let proposal = ProposeOperation {
        type_name: "sleep".to_owned(),
        node: node.to_owned(),
        payload: Some(serde_json::value::to_raw_value(&json!({ "ms": 1 })).expect("JSON")),
        valid_for: None,
        signatures: Some(signatures),
        reason: Some("a new kernel".to_owned()),
    };
    hub.people().propose_operation(&proposal, None).await.expect("it is proposed")
}

/// What these operators sign of an operation.
pub(crate) fn signed(operation: &Operation, by: &[&Operator]) -> Envelope {
    signed_statement(&statement_of(operation, by[0].key(), operation.proposed_at), by)
}

/// Brings what was signed.
pub(crate) async fn bring(hub: &RunningHub<'_>, id: TaskId, envelope: &Envelope) -> Answer {
    let path = format!("/api/v1/operations/{id}/signatures");
    hub.request(Method::POST, &path).json(&json!(envelope)).send().await
}

/// Brings what was signed; it is taken.
pub(crate) async fn brought(hub: &RunningHub<'_>, id: TaskId, envelope: &Envelope) -> Value {
    let answer = bring(hub, id, envelope).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}
