//! What people see of a node's resources that the hub enforces.

use std::sync::Arc;

use sortie_rules::desired::{Condition, ConditionStatus, ResourceKey};
use sortie_rules::time::Millis;
use sortie_store::Tx;
use sortie_store::desired::pins::PinsRow;
use sortie_store::enforcements::{self, EnforcementRow};
use sortie_wire::desired::EnforcedResource;

use super::wanted::of_node;
use crate::app::App;
use crate::fault::Fault;

/// The resources of a node that the hub enforces, and those whose rules are still to go.
pub(crate) async fn shown(
    tx: &mut Tx,
    app: &App,
    pins: &PinsRow,
    is_shut_out: bool,
) -> Result<Vec<EnforcedResource>, Fault> {
    let kinds = Arc::clone(&app.kinds.load());
    let meant = of_node(tx, app, &kinds, pins, is_shut_out).await?.unwrap_or_default();
    let rows = enforcements::of_node(tx, pins.node).await?;
    let is_noted = |resource: &ResourceKey, zone: &str| {
        rows.iter().any(|row| row.resource == *resource && row.zone == zone && row.life.wanted.is_some())
    };
    let mut shown: Vec<EnforcedResource> = Vec::new();
    for (resource, wanted) in &meant.wanted {
        if !is_noted(resource, &wanted.rules.zone) {
            let zone = Some(wanted.rules.zone.clone());
            shown.push(plain(resource, ConditionStatus::Pending, "not_noted", None, zone, pins.changed_at));
        }
    }
    for (resource, bad) in &meant.unusable {
        let why = Some(bad.to_string());
        shown.push(plain(resource, ConditionStatus::Failed, "spec_unusable", why, None, pins.changed_at));
    }
    shown.extend(rows.into_iter().map(of_row));
    shown.sort_by(|a, b| (&a.condition.resource, &a.zone).cmp(&(&b.condition.resource, &b.zone)));
    Ok(shown)
}

fn of_row(row: EnforcementRow) -> EnforcedResource {
    let life = row.life;
    EnforcedResource {
        condition: Condition {
            resource: row.resource,
            status: life.status,
            reason: life.reason,
            message: life.message,
            since: life.since,
            applied_at: life.applied_at,
            actual: None,
        },
        zone: Some(row.zone),
        is_leaving: life.wanted.is_none(),
        failures: life.failures,
        next_try_at: Some(life.next_try),
    }
}

/// One of which the table says nothing.
fn plain(
    resource: &ResourceKey,
    status: ConditionStatus,
    reason: &str,
    message: Option<String>,
    zone: Option<String>,
    since: Millis,
) -> EnforcedResource {
    let (resource, reason) = (resource.clone(), Some(reason.to_owned()));
    let condition = Condition { resource, status, reason, message, since, applied_at: None, actual: None };
    EnforcedResource { condition, zone, is_leaving: false, failures: 0, next_try_at: None }
}
