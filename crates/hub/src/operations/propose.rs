//! Takes in what somebody wants done, for operators to sign.

use sortie_rules::ids::TaskId;
use sortie_rules::limits::{
    OPERATION_LIFE_DEFAULT, OPERATION_LIFE_MAX, OPERATION_PAYLOAD_BYTES_MAX, OPERATION_WAITS, OPERATIONS_WAITING_MAX,
    OPERATORS_MAX, REASON_BYTES_MAX,
};
use sortie_rules::operations::Stage;
use sortie_rules::time::Span;
use sortie_store::operations::{self, OperationRow};
use sortie_wire::operations::{Operation, ProposeOperation};
use sortie_wire::problem::{Problem, ProblemCode};
use sortie_wire::tasks::SubmitTask;

use super::read;
use crate::app::App;
use crate::audit::{self, Act};
use crate::events::{self, Record};
use crate::fault::{Fault, refuse, refuse_at};
use crate::http::Once;
use crate::operators;
use crate::people::Principal;
use crate::tasks::terms_of_any_class;

/// Shortest time for which an operation may be valid: it has to reach its node.
const VALID_MIN: Span = Span::minutes(1);

/// Takes it in, or answers as the first request under the same key was answered.
pub(super) async fn propose(
    app: &App,
    who: &Principal,
    request: ProposeOperation,
    once: Once,
    traceparent: Option<String>,
) -> Result<Operation, Fault> {
    let row = check(app, who, request, traceparent).await?;
    let (id, first) = (row.id, once.clone());
    let act = Act::by(who, row.proposed_at)?.on("operation", id).named(&row.type_name);
    let written = app
        .store
        .write(move |tx| {
            Box::pin(async move {
                if let Some(answer) = once.recall(tx).await? {
                    return Ok(answer);
                }
                if operations::count_waiting(tx, row.org).await? >= OPERATIONS_WAITING_MAX {
                    let detail = format!(
                        "{OPERATIONS_WAITING_MAX} operations wait for signatures, which are the most; sign some, or \
                         reject those that shall not be."
                    );
                    return Err(refuse(ProblemCode::QueueFull, detail));
                }
                operations::insert(tx, &row).await?;
                once.remember(tx, &id.to_string(), row.proposed_at).await?;
                let data = serde_json::json!({ "type": row.type_name, "node": row.node, "signatures": row.wanted });
                audit::record(tx, act.changes(data.clone())).await?;
                let record = Record::new(row.org, row.proposed_at, "operation.proposed", &row.proposed_by);
                events::record(tx, record.node(row.node).task(id).data(&data)).await?;
                Ok(id.to_string())
            })
        })
        .await;
    let answer = match written {
        Ok(answer) => answer,
        Err(refusal) => first.recall_after(&app.store, refusal).await?,
    };
    let id: TaskId = answer.parse().map_err(|_| Fault::Broken("a remembered answer".to_owned()))?;
    read::show(app, who, id).await
}

/// What was asked for as a row, if it can be.
async fn check(
    app: &App,
    who: &Principal,
    request: ProposeOperation,
    traceparent: Option<String>,
) -> Result<OperationRow, Fault> {
    let now = app.clock.now();
    let ProposeOperation { type_name, node, payload, valid_for, signatures, reason } = request;
    let invalid = |field: &str, detail: String| refuse_at(ProblemCode::FieldInvalid, format!("/{field}"), detail);
    let known = app.nodes.find_named(&app.store, who.org, &node).await.map_err(|fault| match fault {
        Fault::Problem(problem) => Problem::at(*problem, "/node").into(),
        other => other,
    })?;
    if known.revoked {
        let detail = format!("The node `{}` was revoked; it takes no tasks until it enrols anew.", known.name);
        return Err(refuse_at(ProblemCode::NodeRevoked, "/node", detail));
    }
    let task = SubmitTask {
        type_name,
        node,
        payload,
        priority: None,
        not_before: None,
        not_after: None,
        max_retries: None,
        lease: None,
    };
    let terms = terms_of_any_class(&app.types.load(), task, "", now)?;
    if terms.payload.len() > OPERATION_PAYLOAD_BYTES_MAX {
        let detail =
            format!("An operation's payload has at most {OPERATION_PAYLOAD_BYTES_MAX} bytes: it is to be read.");
        return Err(refuse_at(ProblemCode::TooLarge, "/payload", detail));
    }
    let valid = valid_for.unwrap_or(OPERATION_LIFE_DEFAULT);
    if !(VALID_MIN..=OPERATION_LIFE_MAX).contains(&valid) {
        let detail =
            format!("An operation is valid for {VALID_MIN} to {OPERATION_LIFE_MAX} after it was signed first.");
        return Err(invalid("valid_for", detail));
    }
    let wanted = signatures.unwrap_or(1);
    if wanted == 0 || wanted as usize > OPERATORS_MAX {
        return Err(invalid("signatures", format!("1 to {OPERATORS_MAX} operators can sign an operation.")));
    }
    let org = who.org;
    let set = app.store.read(move |tx| Box::pin(async move { operators::newest(tx, org).await })).await?;
    if let Some(set) = set.filter(|set| set.members.len() < wanted as usize) {
        let detail = format!(
            "{wanted} operators cannot sign it: the set that is published here (version {}) has {}.",
            set.version,
            set.members.len()
        );
        return Err(invalid("signatures", detail));
    }
    if reason.as_ref().is_some_and(|reason| reason.len() > REASON_BYTES_MAX) {
        return Err(invalid("reason", format!("A reason has at most {REASON_BYTES_MAX} bytes.")));
    }
    Ok(OperationRow {
        id: app.entropy.id(now),
        org: who.org,
        node: known.id,
        node_key: known.key_fingerprint.clone(),
        type_name: terms.type_name,
        payload: terms.payload,
        reason,
        wanted,
        valid,
        proposed_by: who.name.to_string(),
        proposed_at: now,
        ends_at: now + OPERATION_WAITS,
        traceparent,
        stage: Stage::AwaitingSignature,
        envelope: None,
        signed_by: "[]".to_owned(),
        ended_at: None,
        message: None,
    })
}
