//! The text that is signed: made by the first who signs, read and checked by all others.

use serde_json::Value;
use serde_json::value::RawValue;
use sortie_rules::limits::OPERATION_LIFE_MAX;
use sortie_rules::time::Millis;
use sortie_wire::operations::{Operation, Statement};
use sortie_wire::operators::open_operation;

use crate::exit::{Exit, Failure};

/// What the first who signs adds.
#[derive(Debug)]
pub(super) struct Drawn {
    pub(super) nonce: String,
    pub(super) now: Millis,
    pub(super) key_id: String,
}

/// The text and its bytes. What somebody has signed already is taken as it is, if it says what was proposed.
pub(super) fn statement(operation: &Operation, drawn: Drawn) -> Result<(Statement, Vec<u8>), Failure> {
    let distrusted = |why: &str| {
        Failure::new(Exit::Refused, format!("operation {} is not signed: {why}", operation.id))
            .remedy("whoever runs the hub should hear of this")
    };
    let Some(envelope) = &operation.envelope else { return made(operation, drawn) };
    let signed = open_operation(envelope).map_err(|error| distrusted(&error.to_string()))?;
    let statement: Statement = serde_json::from_slice(&signed.message)
        .map_err(|error| distrusted(&format!("what was signed before is no operation: {error}")))?;
    let is_the_same = statement.operation == operation.id
        && statement.op == operation.type_name
        && statement.target == operation.target
        && value(&statement.params) == operation.payload.as_deref().and_then(value);
    if !is_the_same {
        return Err(distrusted("what was signed before is not what the hub shows"));
    }
    if statement.expires_at.since(statement.issued_at) > OPERATION_LIFE_MAX {
        return Err(distrusted("what was signed before is valid for longer than may be"));
    }
    Ok((statement, signed.message))
}

fn value(json: &RawValue) -> Option<Value> {
    serde_json::from_str(json.get()).ok()
}

fn made(operation: &Operation, drawn: Drawn) -> Result<(Statement, Vec<u8>), Failure> {
    let payload = operation.payload.clone().ok_or_else(|| Failure::other("the hub sent no payload"))?;
    let statement = Statement {
        op: operation.type_name.clone(),
        operation: operation.id,
        target: operation.target.clone(),
        params: payload,
        nonce: drawn.nonce,
        issued_at: drawn.now,
        expires_at: drawn.now + operation.valid_for.min(OPERATION_LIFE_MAX),
        key_id: drawn.key_id,
    };
    let bytes = serde_json::to_vec(&statement).map_err(|error| Failure::other(error.to_string()))?;
    Ok((statement, bytes))
}
