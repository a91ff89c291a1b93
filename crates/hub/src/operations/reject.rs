//! Decides against an operation that waits for signatures.

use sortie_rules::ids::TaskId;
use sortie_rules::limits::REASON_BYTES_MAX;
use sortie_rules::operations::{Stage, reject as decide};
use sortie_store::operations::{self, OperationRow, Outcome};
use sortie_wire::operations::{Operation, RejectOperation};
use sortie_wire::problem::ProblemCode;

use super::read::{self, proposal, signatures, unknown};
use crate::app::App;
use crate::audit::{self, Act};
use crate::events::{self, Record};
use crate::fault::{Fault, refuse, refuse_at};
use crate::people::Principal;

/// Rejects it.
pub(super) async fn reject(
    app: &App,
    who: &Principal,
    id: TaskId,
    request: RejectOperation,
) -> Result<Operation, Fault> {
    let (org, name, now) = (who.org, who.name.clone(), app.clock.now());
    let act = Act::by(who, now)?.on("operation", id);
    let reason = request.reason.filter(|reason| !reason.is_empty());
    if reason.as_ref().is_some_and(|reason| reason.len() > REASON_BYTES_MAX) {
        let detail = format!("A reason has at most {REASON_BYTES_MAX} bytes.");
        return Err(refuse_at(ProblemCode::FieldInvalid, "/reason", detail));
    }
    app.store
        .write(move |tx| {
            Box::pin(async move {
                let row = operations::get(tx, id).await?.filter(|row| row.org == org).ok_or_else(unknown)?;
                let proposal = proposal(&row, signatures(&row)?.len());
                let life = match decide(proposal, now) {
                    Ok(life) => life,
                    Err(_) => return Err(over(proposal.stage_at(now), operations::outcome(tx, id).await?, id)),
                };
                let said = reason.as_deref().map_or_else(
                    || format!("{name} decided against it"),
                    |reason| format!("{name} decided against it: {reason}"),
                );
                let after = OperationRow { stage: life.stage, ended_at: Some(now), message: Some(said), ..row.clone() };
                if !operations::change(tx, &row, &after).await? {
                    return Err(refuse(ProblemCode::Conflict, "Somebody has changed it meanwhile; look again."));
                }
                let data = serde_json::json!({ "reason": reason });
                audit::record(tx, act.named(&row.type_name).changes(data.clone())).await?;
                let record = Record::new(org, now, "operation.rejected", &name).node(row.node).task(id).data(&data);
                Ok::<_, Fault>(events::record(tx, record).await?)
            })
        })
        .await?;
    read::show(app, who, id).await
}

/// What is said of one that waits for signatures no more.
fn over(stage: Stage, outcome: Option<Outcome>, id: TaskId) -> Fault {
    let detail = match (stage, outcome) {
        (Stage::Released, Some(outcome)) if !outcome.status.is_terminal() => {
            format!("It is signed and a task now; call that off instead: `sortie task cancel {id}`.")
        }
        (Stage::Released, Some(outcome)) => format!("It is over: it is {}.", outcome.status.as_str()),
        (Stage::Released, None) => "It is over.".to_owned(),
        (stage, _) => format!("It waits for signatures no more: it is {}.", stage.as_str()),
    };
    refuse(ProblemCode::OperationOver, detail)
}
