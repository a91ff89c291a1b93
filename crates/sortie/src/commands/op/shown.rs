//! How operations look.

use serde_json::value::RawValue;
use sortie_rules::time::Millis;
use sortie_wire::operations::{Operation, OperationStatus, SignedBy};

use crate::output::{Table, ago, moment};

/// Operations as a table.
pub(super) fn table(operations: &[Operation], now: Millis) -> Table {
    let mut table = Table::new(["id", "type", "node", "status", "signed", "proposed", "by", "message"]);
    for operation in operations {
        table.row([
            operation.id.to_string(),
            operation.type_name.clone(),
            operation.node_name.clone(),
            operation.status.to_string(),
            signed(operation),
            ago(now, operation.proposed_at),
            operation.proposed_by.clone(),
            operation.message.clone().or_else(|| operation.reason.clone()).unwrap_or_default(),
        ]);
    }
    table
}

/// How many signatures there are of those that are wanted.
fn signed(operation: &Operation) -> String {
    format!("{} of {}", operation.signed_by.len(), operation.signatures)
}

/// An operation in lines.
pub(crate) fn rows(operation: &Operation, now: Millis) -> Vec<(&'static str, String)> {
    let mut rows = vec![
        ("operation", operation.id.to_string()),
        ("type", operation.type_name.clone()),
        ("node", format!("{} ({})", operation.node_name, operation.target.node)),
        ("node's key", operation.target.key.clone()),
        ("status", operation.status.to_string()),
    ];
    rows.extend(operation.code.as_ref().map(|code| ("code", code.to_string())));
    rows.extend(operation.message.clone().map(|message| ("message", message)));
    rows.push(("proposed", format!("{} by {}", moment(now, operation.proposed_at), operation.proposed_by)));
    rows.extend(operation.reason.clone().map(|reason| ("reason", reason)));
    rows.push(("valid for", operation.valid_for.to_string()));
    rows.push(("signatures", signed(operation)));
    rows.extend(operation.signed_by.iter().map(|by| ("signed by", signer(by, now))));
    if operation.status == OperationStatus::AwaitingSignature {
        rows.push(("expires", moment(now, operation.ends_at)));
    }
    rows.extend(operation.ended_at.map(|at| ("ended", moment(now, at))));
    rows.extend(operation.payload.as_ref().map(|payload| ("payload", pretty(payload))));
    rows
}

fn signer(by: &SignedBy, now: Millis) -> String {
    let who = by.name.as_deref().map_or_else(|| by.key_id.clone(), |name| format!("{name} ({})", by.key_id));
    format!("{who}, {}", ago(now, by.at))
}

/// JSON as people read it.
pub(crate) fn pretty(json: &RawValue) -> String {
    let value: Option<serde_json::Value> = serde_json::from_str(json.get()).ok();
    value.and_then(|value| serde_json::to_string_pretty(&value).ok()).unwrap_or_else(|| json.get().to_owned())
}
