//! Announces maintenance, from now on or later.

use sortie_rules::alarms::AskedWindow;
use sortie_rules::ids::MaintenanceId;
use sortie_rules::limits::{MAINTENANCE_REASON_BYTES_MAX, MAINTENANCES_PER_ORG_MAX};
use sortie_store::maintenance::{self, MaintenanceRow};
use sortie_wire::maintenance::{Maintenance, StartMaintenance};
use sortie_wire::problem::ProblemCode;

use super::list::shown;
use crate::app::Shared;
use crate::audit::{self, Act};
use crate::events::{self, Record};
use crate::fault::{Fault, refuse, refuse_at};
use crate::http::{Once, to_the_end};
use crate::jobs::selector;
use crate::people::Principal;

/// Announces one.
pub(super) async fn start(
    app: &Shared,
    who: Principal,
    mut request: StartMaintenance,
    once: Once,
) -> Result<Maintenance, Fault> {
    let now = app.clock.now();
    let reason = &request.reason;
    if reason.trim().is_empty() || reason.len() > MAINTENANCE_REASON_BYTES_MAX || reason.chars().any(char::is_control) {
        let detail = format!("A reason is one line of 1 to {MAINTENANCE_REASON_BYTES_MAX} bytes.");
        return Err(refuse_at(ProblemCode::FieldInvalid, "/reason", detail));
    }
    let asked = AskedWindow { from: request.from, until: request.until, lasts: request.lasts };
    let window = asked
        .window(now)
        .map_err(|why| refuse_at(ProblemCode::FieldInvalid, "/until", format!("Maintenance: {why}.")))?;
    selector(&request.selector)?;
    for name in &mut request.selector.names {
        // A slip would leave people with alarms in the middle of the night.
        let known = app.nodes.find_named(&app.store, who.org, name).await?;
        name.clone_from(&known.name);
    }
    let broken = |error: serde_json::Error| Fault::Broken(error.to_string());
    let row = MaintenanceRow {
        id: app.entropy.id(now),
        org: who.org,
        reason: request.reason,
        selector: serde_json::to_string(&request.selector).map_err(broken)?,
        begins_at: window.from,
        ends_at: window.until,
        made_by: who.name.to_string(),
        made_at: now,
        ended: None,
    };
    let app = app.clone();
    // A caller that hangs up must not leave in memory what is no longer all that there is.
    to_the_end(async move {
        let org = who.org;
        let written = app.store.write(move |tx| {
            Box::pin(async move {
                if let Some(answer) = once.recall(tx).await? {
                    let gone = || Fault::Broken("what was announced before is not there any more".to_owned());
                    let id: MaintenanceId = answer.parse().map_err(|_| gone())?;
                    return maintenance::get(tx, org, id).await?.ok_or_else(gone);
                }
                if maintenance::count_not_over(tx, org, now).await? >= MAINTENANCES_PER_ORG_MAX {
                    let detail = format!("{MAINTENANCES_PER_ORG_MAX} maintenances are not over yet; end some first.");
                    return Err(refuse(ProblemCode::QueueFull, detail));
                }
                maintenance::insert(tx, &row).await?;
                let selector: serde_json::Value = serde_json::from_str(&row.selector).unwrap_or_default();
                let data = serde_json::json!({
                    "maintenance": row.id, "reason": row.reason, "selector": selector, "from": row.begins_at,
                    "until": row.ends_at,
                });
                events::record(tx, Record::new(org, now, "maintenance.started", &row.made_by).data(&data)).await?;
                let act = Act::by(&who, now)?.on("maintenance", row.id);
                audit::record(tx, act.changes(data)).await?;
                once.remember(tx, &row.id.to_string(), now).await?;
                Ok::<_, Fault>(row)
            })
        });
        let written = written.await;
        // Even if it is not known whether it stands.
        app.maintenances.evict(org);
        shown(written?, now)
    })
    .await
}
