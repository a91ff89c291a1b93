//! Decides against an operation that waits for signatures.

use sortie_rules::ids::TaskId;
use sortie_rules::limits::REASON_BYTES_MAX;
use sortie_rules::operations::reject as decide;
use sortie_store::operations::{self, OperationRow};
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
                let life = decide(proposal(&row, signatures(&row)?.len()), now).map_err(|error| {
                    refuse(ProblemCode::OperationOver, format!("{error}; cancel its task instead."))
                })?;
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
