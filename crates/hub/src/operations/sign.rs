//! Takes what an operator signed. With the last signature that is wanted the operation becomes a task.
//!
//! Each check here spares people a refusal at the site. The site checks all of it again and has the last word.

use serde_json::Value;
use sortie_rules::ids::TaskId;
use sortie_rules::operations::{NotChanged, Proposal, Stage, sign as decide};
use sortie_rules::time::Millis;
use sortie_store::operations::{self, OperationRow};
use sortie_store::tasks::TaskRow;
use sortie_wire::envelope::Envelope;
use sortie_wire::operations::{Operation, SignedBy, Statement};
use sortie_wire::operators::{OperatorSet, Signed, open_operation};
use sortie_wire::problem::ProblemCode;
use sortie_wire::tasks::SubmitTask;

use super::read::{self, proposal, unknown};
use crate::app::Shared;
use crate::audit::{self, Act};
use crate::events::{self, Record};
use crate::fault::{Fault, refuse};
use crate::operators;
use crate::packs::TaskTypes;
use crate::people::Principal;
use crate::tasks::{enter, terms_of_any_class};

/// What was brought, taken apart.
#[derive(Clone)]
struct Brought {
    envelope: Envelope,
    signed: Signed,
    statement: Statement,
}

/// Adds the signatures of an envelope to an operation. Those that are there already change nothing.
pub(super) async fn sign(app: &Shared, who: &Principal, id: TaskId, envelope: Envelope) -> Result<Operation, Fault> {
    let brought = take_apart(envelope)?;
    let (org, name, now) = (who.org, who.name.clone(), app.clock.now());
    let act = Act::by(who, now)?.on("operation", id);
    let types = app.types.load_full();
    let node = {
        let app = app.clone();
        let row = app.store.read(move |tx| Box::pin(async move { operations::get(tx, id).await })).await?;
        let row = row.filter(|row| row.org == org).ok_or_else(unknown)?;
        app.nodes.find(&app.store, row.node).await?.ok_or_else(unknown)?
    };
    if node.revoked || node.key_fingerprint != brought.statement.target.key {
        let detail = "The node has another key than when the operation was proposed, or was revoked; propose it again.";
        return Err(refuse(ProblemCode::SignatureInvalid, detail));
    }
    node.make_room(&app.store, 1).await?;
    let released = app
        .store
        .write_checked(move |tx| {
            Box::pin(async move {
                let row = operations::get(tx, id).await?.filter(|row| row.org == org).ok_or_else(unknown)?;
                let set = operators::newest(tx, org).await?;
                let Some((after, fresh)) = signed(&row, &brought, set.as_ref(), &name, now)? else { return Ok(false) };
                if !operations::change(tx, &row, &after).await? {
                    return Err(refuse(ProblemCode::Conflict, "Somebody has signed it meanwhile; try again."));
                }
                let keys: Vec<&str> = fresh.iter().map(|by| by.key_id.as_str()).collect();
                let changes = serde_json::json!({ "keys": keys, "stage": after.stage.as_str() });
                audit::record(tx, act.named(&row.type_name).changes(changes)).await?;
                for by in &fresh {
                    let data = serde_json::json!({ "key": by.key_id, "operator": by.name });
                    let record = Record::new(org, now, "operation.signed", &name).node(row.node).task(id).data(&data);
                    events::record(tx, record).await?;
                }
                if after.stage == Stage::Released {
                    enter(tx, &task(&types, &after, &brought.statement, now)?).await?;
                }
                Ok::<_, Fault>(after.stage == Stage::Released)
            })
        })
        .await?;
    if released {
        metrics::counter!("sortie_tasks_submitted_total").increment(1);
        app.waiting.ring(node.id);
    }
    read::show(app, who, id).await
}

fn invalid(detail: impl Into<String>) -> Fault {
    refuse(ProblemCode::SignatureInvalid, detail)
}

fn take_apart(envelope: Envelope) -> Result<Brought, Fault> {
    let signed = open_operation(&envelope).map_err(|error| invalid(format!("This does not hold: {error}.")))?;
    if signed.keys.is_empty() {
        return Err(invalid("Nobody has signed it; `sortie sign --pending` does."));
    }
    let statement = serde_json::from_slice(&signed.message)
        .map_err(|error| invalid(format!("What was signed is no operation: {error}.")))?;
    Ok(Brought { envelope, signed, statement })
}

/// The operation with the new signatures, and who made them; `None` if all of them are there already.
fn signed(
    row: &OperationRow,
    brought: &Brought,
    set: Option<&OperatorSet>,
    by: &str,
    now: Millis,
) -> Result<Option<(OperationRow, Vec<SignedBy>)>, Fault> {
    let expires_at = brought.statement.expires_at;
    if proposal(row, 0).stage_at(now) == Stage::Expired {
        next(proposal(row, 0), expires_at, now)?;
    }
    fits(row, &brought.statement, now)?;
    let broken = |error: serde_json::Error| Fault::Broken(error.to_string());
    let earlier: Option<Envelope> = row.envelope.as_deref().map(serde_json::from_str).transpose().map_err(broken)?;
    if earlier.as_ref().is_some_and(|earlier| earlier.payload != brought.envelope.payload) {
        let detail = "Another operator has signed this operation with another text (its nonce, or its times); sign \
                      what is there: `sortie sign` does so by itself.";
        return Err(refuse(ProblemCode::OtherStatement, detail));
    }
    let mut known: Vec<SignedBy> = serde_json::from_str(&row.signed_by).map_err(broken)?;
    let mut envelope = earlier.unwrap_or_else(|| Envelope { signatures: Vec::new(), ..brought.envelope.clone() });
    let (mut life, mut fresh) = (proposal(row, known.len()), Vec::new());
    for key in &brought.signed.keys {
        let key_id = key.fingerprint();
        let name = match set {
            Some(set) => Some(set.member(&key_id).ok_or_else(|| stranger(&key_id, set))?.name.clone()),
            None => None,
        };
        if known.iter().any(|signed| signed.key_id == key_id) {
            continue;
        }
        life = next(life, expires_at, now)?;
        envelope.signatures.extend(brought.envelope.signatures.iter().find(|one| one.keyid == key_id).cloned());
        fresh.push(SignedBy { key_id, name, brought_by: by.to_owned(), at: now });
    }
    if fresh.is_empty() {
        return Ok(None);
    }
    known.extend(fresh.iter().cloned());
    let after = OperationRow {
        stage: life.stage,
        envelope: Some(serde_json::to_string(&envelope).map_err(broken)?),
        signed_by: serde_json::to_string(&known).map_err(broken)?,
        ends_at: life.ends_at,
        ended_at: (life.stage == Stage::Released).then_some(now),
        ..row.clone()
    };
    Ok(Some((after, fresh)))
}

/// Each signature after the one that was wanted last changes nothing any more.
fn next(life: Proposal, expires_at: Millis, now: Millis) -> Result<Proposal, Fault> {
    decide(life, expires_at, now).map_err(|error: NotChanged| refuse(ProblemCode::OperationOver, format!("{error}.")))
}

fn stranger(key_id: &str, set: &OperatorSet) -> Fault {
    let names: Vec<&str> = set.members.iter().map(|member| member.name.as_str()).collect();
    let detail = format!(
        "The key {key_id} is none of the operators' that are published here (set {}: {}).",
        set.version,
        names.join(", ")
    );
    refuse(ProblemCode::SignerUnknown, detail)
}

/// Whether what was signed is what was proposed.
fn fits(row: &OperationRow, statement: &Statement, now: Millis) -> Result<(), Fault> {
    if statement.operation != row.id || statement.op != row.type_name || statement.target.node != row.node {
        return Err(invalid("What was signed is another operation than this one."));
    }
    let json = |text: &str| serde_json::from_str::<Value>(text).ok();
    if json(statement.params.get()) != json(&row.payload) {
        return Err(invalid("What was signed has another payload than what was proposed."));
    }
    if statement.expires_at.since(statement.issued_at) > row.valid || statement.expires_at <= statement.issued_at {
        return Err(invalid(format!("It may be valid for {} after it was signed, and no longer.", row.valid)));
    }
    if now >= statement.expires_at {
        return Err(invalid(
            "What was signed has expired; if it is new, look at the clock of the machine that signed it.",
        ));
    }
    let is_nonce = statement.nonce.len() == 32 && statement.nonce.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_nonce {
        return Err(invalid("The nonce has 32 hex digits."));
    }
    Ok(())
}

/// The task that carries out a released operation.
fn task(types: &TaskTypes, row: &OperationRow, statement: &Statement, now: Millis) -> Result<TaskRow, Fault> {
    let request = SubmitTask {
        type_name: row.type_name.clone(),
        node: String::new(),
        payload: Some(statement.params.clone()),
        priority: None,
        not_before: None,
        not_after: Some(statement.expires_at),
        max_retries: None,
        lease: None,
    };
    let terms = terms_of_any_class(types, request, "", now)?;
    let task = terms.task(row.id, (row.org, row.node), &row.proposed_by, row.traceparent.clone(), now);
    Ok(TaskRow { operation: row.envelope.clone(), ..task })
}
