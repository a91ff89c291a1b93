//! Lets go what was held back until now, unless there is maintenance.

use std::collections::BTreeMap;

use sortie_rules::ids::{NotificationId, OrgId};
use sortie_rules::limits::NOTIFICATIONS_AT_ONCE;
use sortie_rules::notifications::Held;
use sortie_rules::time::Millis;
use sortie_store::notifications::{self, Due};

use crate::app::App;
use crate::fault::Fault;
use crate::maintenance::cover;

/// What was held back until now waits to go out, or is held back on. Returns how many that were.
pub(super) async fn let_go(app: &App) -> Result<u64, Fault> {
    let (mut total, now) = (0, app.clock.now());
    let limit = u32::try_from(NOTIFICATIONS_AT_ONCE).unwrap_or(u32::MAX);
    loop {
        let due = app.store.read(move |tx| Box::pin(async move { notifications::due(tx, now, limit).await })).await?;
        if due.is_empty() {
            return Ok(total);
        }
        total += due.len() as u64;
        let (go, stay) = sorted(app, due, now).await?;
        let written = app.store.write(move |tx| {
            let (go, stay) = (go.clone(), stay.clone());
            Box::pin(async move {
                notifications::let_go(tx, &go, now).await?;
                notifications::hold_on(tx, &stay, Held::MAINTENANCE, now).await
            })
        });
        written.await?;
    }
}

/// What goes out, and what is held back until when.
async fn sorted(
    app: &App,
    due: Vec<Due>,
    now: Millis,
) -> Result<(Vec<NotificationId>, Vec<(NotificationId, Millis)>), Fault> {
    let mut of_orgs: BTreeMap<OrgId, Vec<Due>> = BTreeMap::new();
    for one in due {
        of_orgs.entry(one.org).or_default().push(one);
    }
    let (mut go, mut stay) = (Vec::new(), Vec::new());
    for (org, due) in of_orgs {
        let nodes: Vec<_> = due.iter().filter_map(|one| one.node).collect();
        let cover = cover(app, org, &nodes, now).await?;
        for one in due {
            match cover.until(one.node) {
                Some(until) => stay.push((one.id, until)),
                None => go.push(one.id),
            }
        }
    }
    Ok((go, stay))
}
