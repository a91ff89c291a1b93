//! Lets go what was held back until now, unless there is maintenance, or nobody wants to hear it any more.

use std::collections::BTreeMap;
use std::sync::Arc;

use sortie_rules::ids::{NotificationId, OrgId};
use sortie_rules::limits::NOTIFICATIONS_AT_ONCE;
use sortie_rules::notifications::{Held, Occasion};
use sortie_rules::time::Millis;
use sortie_store::notifications::{self, Due};

use super::memory::Place;
use super::page::audience_of;
use crate::app::App;
use crate::fault::Fault;
use crate::maintenance::cover;

/// Why somebody is not told who has said meanwhile that they do not want to be.
const NOT_WANTED: &str = "not_wanted";

/// What becomes of what was held back until now.
#[derive(Debug, Clone, Default)]
struct Sorted {
    go: Vec<NotificationId>,
    /// Until when.
    stay: Vec<(NotificationId, Millis)>,
    not_wanted: Vec<NotificationId>,
}

/// What was held back until now waits to go out, or is held back on. Returns how many that were.
pub(super) async fn let_go(app: &App, place: &mut Place) -> Result<u64, Fault> {
    let (mut total, now) = (0, app.clock.now());
    let limit = u32::try_from(NOTIFICATIONS_AT_ONCE).unwrap_or(u32::MAX);
    loop {
        let due = app.store.read(move |tx| Box::pin(async move { notifications::due(tx, now, limit).await })).await?;
        if due.is_empty() {
            return Ok(total);
        }
        total += due.len() as u64;
        let sorted = Arc::new(sort(app, place, due, now).await?);
        let written = app.store.write(move |tx| {
            Box::pin(async move {
                notifications::let_go(tx, &sorted.go, now).await?;
                notifications::hold_for_good(tx, &sorted.not_wanted, NOT_WANTED, now).await?;
                notifications::hold_on(tx, &sorted.stay, Held::MAINTENANCE, now).await
            })
        });
        written.await?;
    }
}

async fn sort(app: &App, place: &mut Place, due: Vec<Due>, now: Millis) -> Result<Sorted, Fault> {
    let mut of_orgs: BTreeMap<OrgId, Vec<Due>> = BTreeMap::new();
    for one in due {
        of_orgs.entry(one.org).or_default().push(one);
    }
    let mut sorted = Sorted::default();
    for (org, due) in of_orgs {
        let audience = audience_of(app, place, org).await?;
        let nodes: Vec<_> = due.iter().filter_map(|one| one.node).collect();
        let cover = cover(app, org, &nodes, now).await?;
        for one in due {
            let of = Occasion { rule: &one.alarm_rule, severity: one.severity, opened: true, node: None };
            match cover.until(one.node) {
                _ if !audience.still_tells(&one.recipient, one.channel, &one.rule, of) => {
                    sorted.not_wanted.push(one.id);
                }
                Some(until) => sorted.stay.push((one.id, until)),
                None => sorted.go.push(one.id),
            }
        }
    }
    Ok(sorted)
}
