//! Stops a publication, and takes it back if asked. The loop does what follows.

use sortie_rules::desired::{PublicationStatus, stop as decide};
use sortie_rules::ids::PublicationId;
use sortie_store::desired::{publication_nodes, publications};
use sortie_wire::desired::{Publication, StopPublication};
use sortie_wire::problem::ProblemCode;

use super::advance::told;
use super::{layer, show};
use crate::app::App;
use crate::audit::{self, Act};
use crate::fault::{Fault, refuse};
use crate::people::Principal;

/// Stops it. Asking again changes nothing.
pub(super) async fn stop(
    app: &App,
    who: &Principal,
    id: PublicationId,
    request: StopPublication,
) -> Result<Publication, Fault> {
    let (org, actor, now) = (who.org, who.name.to_string(), app.clock.now());
    let act = Act::by(who, now)?.on("publication", id);
    app.store
        .write_checked(move |tx| {
            Box::pin(async move {
                let row = publications::get_any_org(tx, id).await?.filter(|row| row.key.org == org);
                let row = row.ok_or_else(show::unknown)?;
                let status = decide(row.life.status, request.rolls_back).map_err(|refusal| {
                    refuse(ProblemCode::PublicationOver, format!("Nothing was stopped: {refusal}."))
                })?;
                if status == row.life.status {
                    return Ok(());
                }
                layer::hold(tx, &row.key).await?;
                let is_newest = publications::newest(tx, &row.key).await? == row.revision;
                if status == PublicationStatus::RollingBack && !is_newest {
                    let detail = "A newer revision of the layer was published since; publish an earlier one again \
                                  instead (`sortie state rollback`).";
                    return Err(refuse(ProblemCode::PublicationOver, detail));
                }
                if !publications::take_turn(tx, id, row.turn).await? {
                    return Err(refuse(ProblemCode::Conflict, "The publication changed meanwhile; look again."));
                }
                let is_over = status.is_terminal();
                if is_over {
                    publication_nodes::let_go(tx, id).await?;
                }
                publications::set_status(tx, id, status, is_over.then_some(now)).await?;
                let kind = if is_over { "desired.stopped" } else { "desired.rolling_back" };
                told(tx, &row, kind, &actor, now).await?;
                let changes = serde_json::json!({ "rolls_back": request.rolls_back });
                audit::record(tx, act.changes(changes)).await?;
                Ok::<_, Fault>(())
            })
        })
        .await?;
    app.desired.nudge_new();
    show::publication(app, who, id).await
}
