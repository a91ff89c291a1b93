//! Shows operations to people. What is a task already is told as its task stands.

use serde_json::value::RawValue;
use sortie_rules::ids::TaskId;
use sortie_rules::operations::{Proposal, Stage};
use sortie_rules::tasks::{Code, Status};
use sortie_store::operations::{self, OperationFilter, OperationRow, Outcome, Standing};
use sortie_wire::operations::{Operation, OperationQuery, OperationStatus, SignedBy, Target};
use sortie_wire::pages::Page;
use sortie_wire::problem::ProblemCode;

use crate::app::App;
use crate::fault::{Fault, refuse};
use crate::http::page_size;
use crate::people::Principal;

/// What is answered for an operation that is not there, or not this org's.
pub(super) fn unknown() -> Fault {
    refuse(ProblemCode::UnknownOperation, "There is no such operation; `sortie op list` shows those there are.")
}

/// Who has signed it.
pub(super) fn signatures(row: &OperationRow) -> Result<Vec<SignedBy>, Fault> {
    serde_json::from_str(&row.signed_by).map_err(|error| Fault::Broken(error.to_string()))
}

/// The operation as decisions see it.
pub(super) fn proposal(row: &OperationRow, signed: usize) -> Proposal {
    let signed = u32::try_from(signed).unwrap_or(u32::MAX);
    Proposal { stage: row.stage, signed, wanted: row.wanted, ends_at: row.ends_at }
}

/// What is said of one that has expired.
pub(super) fn too_few(signed: usize, wanted: u32) -> String {
    format!("{signed} of {wanted} signatures came in time")
}

/// One operation, with all that belongs to it.
pub(super) async fn show(app: &App, who: &Principal, id: TaskId) -> Result<Operation, Fault> {
    let org = who.org;
    let (row, outcome) = app
        .store
        .read(move |tx| {
            Box::pin(async move {
                let row = operations::get(tx, id).await?.filter(|row| row.org == org).ok_or_else(unknown)?;
                Ok::<_, Fault>((row, operations::outcome(tx, id).await?))
            })
        })
        .await?;
    let broken = |error: serde_json::Error| Fault::Broken(error.to_string());
    let payload = RawValue::from_string(row.payload.clone()).map_err(broken)?;
    let envelope = row.envelope.as_deref().map(serde_json::from_str).transpose().map_err(broken)?;
    Ok(Operation { payload: Some(payload), envelope, ..shown(app, row, outcome).await? })
}

/// A page of operations, newest first.
pub(super) async fn list(app: &App, who: &Principal, query: OperationQuery) -> Result<Page<Operation>, Fault> {
    let (org, size) = (who.org, page_size(query.limit)?);
    let now = app.clock.now();
    let node = match &query.node {
        Some(node) => Some(app.nodes.find_named(&app.store, org, node).await?.id),
        None => None,
    };
    let filter = OperationFilter {
        waiting_at: query.pending.then_some(now),
        standing: standing(query.status.as_deref().unwrap_or(""))?,
        node,
        type_name: query.type_name,
    };
    let after = query.after;
    let mut rows = app
        .store
        .read(move |tx| Box::pin(async move { operations::list(tx, org, &filter, now, after, size + 1).await }))
        .await?;
    let more = rows.len() > size as usize;
    rows.truncate(size as usize);
    let next = more.then(|| rows.last().map(|(row, _)| row.id.to_string())).flatten();
    let mut items = Vec::with_capacity(rows.len());
    for (row, outcome) in rows {
        items.push(shown(app, row, outcome).await?);
    }
    Ok(Page { items, next })
}

/// Where operations stand of which one of these words is said.
fn standing(words: &str) -> Result<Vec<Standing>, Fault> {
    let mut all = Vec::new();
    for word in words.split(',').filter(|word| !word.is_empty()) {
        let status = OperationStatus::parse(word).ok_or_else(|| {
            let known: Vec<&str> = OperationStatus::ALL.iter().map(|status| status.as_str()).collect();
            let detail = format!("status: `{word}` is none of {}.", known.join(", "));
            refuse(ProblemCode::MalformedParameter, detail)
        })?;
        all.extend_from_slice(match status {
            OperationStatus::AwaitingSignature => &[Standing::Stage(Stage::AwaitingSignature)],
            OperationStatus::Pending => &[Standing::Task(Status::Pending)],
            OperationStatus::Delivered => &[Standing::Task(Status::InProgress)],
            OperationStatus::Completed => &[Standing::Task(Status::Completed)],
            OperationStatus::Failed => &[Standing::Task(Status::Failed)],
            OperationStatus::Rejected => &[Standing::Stage(Stage::Rejected), Standing::Task(Status::Rejected)],
            OperationStatus::Cancelled => &[Standing::Task(Status::Cancelled)],
            OperationStatus::Expired => &[Standing::Stage(Stage::Expired), Standing::Task(Status::Expired)],
        });
    }
    Ok(all)
}

async fn shown(app: &App, row: OperationRow, outcome: Option<Outcome>) -> Result<Operation, Fault> {
    let node_name = app.nodes.find(&app.store, row.node).await?.map_or_else(String::new, |node| node.name.clone());
    let signed_by = signatures(&row)?;
    let stage = proposal(&row, signed_by.len()).stage_at(app.clock.now());
    // Its end may have passed a moment ago and not be written down yet.
    let (ended_at, message) = match (stage, row.stage) {
        (Stage::Released, _) => (None, row.message),
        (Stage::Expired, Stage::AwaitingSignature) => (Some(row.ends_at), Some(too_few(signed_by.len(), row.wanted))),
        _ => (row.ended_at, row.message),
    };
    let status = status(stage, outcome.as_ref().map(|outcome| outcome.status));
    let (code, task_says) = outcome.map_or((None, None), |outcome| (outcome.code, outcome.message));
    let code = code.or((stage == Stage::Expired).then(|| Code::new(Code::EXPIRED)));
    Ok(Operation {
        id: row.id,
        type_name: row.type_name,
        target: Target { node: row.node, key: row.node_key },
        node_name,
        status,
        reason: row.reason,
        signatures: row.wanted,
        signed_by,
        valid_for: row.valid,
        proposed_by: row.proposed_by,
        proposed_at: row.proposed_at,
        ends_at: row.ends_at,
        ended_at,
        code,
        message: task_says.or(message),
        payload: None,
        envelope: None,
    })
}

/// Where it stands: by itself, or as its task.
fn status(stage: Stage, task: Option<Status>) -> OperationStatus {
    match (stage, task) {
        (Stage::AwaitingSignature, _) => OperationStatus::AwaitingSignature,
        (Stage::Rejected, _) => OperationStatus::Rejected,
        (Stage::Expired, _) => OperationStatus::Expired,
        (Stage::Released, Some(Status::Pending)) => OperationStatus::Pending,
        (Stage::Released, Some(Status::InProgress)) => OperationStatus::Delivered,
        (Stage::Released, Some(Status::Failed)) => OperationStatus::Failed,
        (Stage::Released, Some(Status::Rejected)) => OperationStatus::Rejected,
        (Stage::Released, Some(Status::Cancelled)) => OperationStatus::Cancelled,
        (Stage::Released, Some(Status::Expired)) => OperationStatus::Expired,
        // Its task was forgotten a moment ago, and it will be: what is over is all that is known.
        (Stage::Released, Some(Status::Completed) | None) => OperationStatus::Completed,
    }
}
