//! Writes into the audit log what became of an operation, in the transaction that ends it: who proposed and signed it
//! stands there already.

use serde_json::json;
use sortie_rules::audit::Action;
use sortie_rules::ids::NodeId;
use sortie_rules::tasks::Task;
use sortie_rules::time::Millis;
use sortie_store::tasks::TaskLife;
use sortie_store::{StoreError, Tx};

use crate::audit::{self, Act, sha256_of};
use crate::tasks::code_of;

/// What a task has come to. Nothing is written if it carries no operation, or goes on.
///
/// `told` is the node that reports it, by id and name, with its result, if there is one; without it the hub ends the
/// task by itself.
pub(crate) async fn end(
    tx: &mut Tx,
    row: &TaskLife,
    after: &Task,
    told: Option<((NodeId, &str), Option<&str>)>,
    now: Millis,
) -> Result<(), StoreError> {
    let status = after.state.status();
    if !row.is_operation || !status.is_terminal() {
        return Ok(());
    }
    let act = match told {
        Some((node, _)) => Act::by_node(row.org, Action::OperationEnd, node, now),
        None => Act::by_hub(row.org, Action::OperationEnd, now),
    };
    let mut changes = json!({ "node": row.node, "status": status.as_str(), "attempt": after.attempt });
    if let Some(code) = code_of(&after.state) {
        changes["code"] = json!(code);
    }
    if let Some((_, Some(result))) = told {
        changes["result_sha256"] = json!(sha256_of(result.as_bytes()));
    }
    audit::record(tx, act.on("operation", row.id).named(&row.type_name).changes(changes)).await
}
