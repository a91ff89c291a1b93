//! Ends maintenance before its time, or calls it off before it has begun.

use sortie_rules::ids::MaintenanceId;
use sortie_store::maintenance;
use sortie_wire::maintenance::Maintenance;
use sortie_wire::problem::ProblemCode;

use super::list::shown;
use crate::app::Shared;
use crate::audit::{self, Act};
use crate::events::{self, Record};
use crate::fault::{Fault, refuse};
use crate::http::to_the_end;
use crate::people::Principal;

/// Ends one. One that is over stays as it is.
pub(super) async fn end(app: &Shared, who: Principal, id: MaintenanceId) -> Result<Maintenance, Fault> {
    let app = app.clone();
    // A caller that hangs up must not leave in memory what is over.
    to_the_end(async move {
        let (org, now) = (who.org, app.clock.now());
        let written = app.store.write(move |tx| {
            Box::pin(async move {
                let ended = maintenance::end(tx, org, id, &who.name, now).await?;
                let row = maintenance::get(tx, org, id).await?.ok_or_else(unknown)?;
                let data = serde_json::json!({ "maintenance": row.id, "reason": row.reason, "was_over": !ended });
                if ended {
                    let record = Record::new(org, now, "maintenance.ended", &who.name);
                    events::record(tx, record.data(&data)).await?;
                }
                audit::record(tx, Act::by(&who, now)?.on("maintenance", id).changes(data)).await?;
                Ok::<_, Fault>(row)
            })
        });
        let written = written.await;
        // Even if it is not known whether it is over.
        app.maintenances.evict(org);
        shown(written?, now)
    })
    .await
}

/// There is none of this id in the caller's org.
pub(super) fn unknown() -> Fault {
    let detail = "There is no such maintenance; `sortie maintenance list --all` shows those there are.";
    refuse(ProblemCode::UnknownMaintenance, detail)
}
