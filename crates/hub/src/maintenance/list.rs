//! Shows maintenance.

use sortie_rules::ids::MaintenanceId;
use sortie_rules::time::Millis;
use sortie_store::maintenance::{self, MaintenanceRow};
use sortie_wire::maintenance::{Maintenance, MaintenanceQuery, MaintenanceState};
use sortie_wire::pages::Page;

use super::end::unknown;
use crate::app::App;
use crate::fault::Fault;
use crate::http::{page, page_size};
use crate::people::Principal;

/// What is not over, in one page; or a page of all that there was.
pub(super) async fn list(app: &App, who: &Principal, query: MaintenanceQuery) -> Result<Page<Maintenance>, Fault> {
    let (org, size, now) = (who.org, page_size(query.limit)?, app.clock.now());
    if !query.over {
        let rows = app.store.read(move |tx| Box::pin(async move { maintenance::not_over(tx, org, now).await })).await?;
        let items = rows.into_iter().map(|row| shown(row, now)).collect::<Result<_, _>>()?;
        return Ok(Page { items, next: None });
    }
    let after = query.after;
    let rows =
        app.store.read(move |tx| Box::pin(async move { maintenance::list(tx, org, after, size + 1).await })).await?;
    let rows = rows.into_iter().map(|row| shown(row, now)).collect::<Result<Vec<_>, _>>()?;
    Ok(page(rows, size, |row| row.id.to_string(), |row| row))
}

/// One of them.
pub(super) async fn one(app: &App, who: &Principal, id: MaintenanceId) -> Result<Maintenance, Fault> {
    let org = who.org;
    let row = app.store.read(move |tx| Box::pin(async move { maintenance::get(tx, org, id).await })).await?;
    shown(row.ok_or_else(unknown)?, app.clock.now())
}

/// As people read it.
pub(super) fn shown(row: MaintenanceRow, now: Millis) -> Result<Maintenance, Fault> {
    let broken = |error: serde_json::Error| Fault::Broken(format!("the maintenance {}: {error}", row.id));
    let selector = serde_json::from_str(&row.selector).map_err(broken)?;
    let state = if row.ended.is_some() || row.ends_at <= now {
        MaintenanceState::Over
    } else if row.begins_at > now {
        MaintenanceState::Coming
    } else {
        MaintenanceState::Current
    };
    let (ended_by, ended_at) = row.ended.unzip();
    Ok(Maintenance {
        id: row.id,
        reason: row.reason,
        selector,
        state,
        from: row.begins_at,
        until: row.ends_at,
        made_by: row.made_by,
        made_at: row.made_at,
        ended_by,
        ended_at,
    })
}
