//! What a restored store needs before a hub uses it. Agents and everybody who follows events have gone on since the
//! backup: agents say so with their next wait, and the hub adopts their count; for events and
//! generations of desired states the hub leaps over every number that can have been given out.

use sortie_rules::audit::Action;
use sortie_rules::ids::{DEFAULT_ORG, OrgId};
use sortie_rules::limits::{EVENT_NUMBERS_LEAPT, PAGE_MAX};
use sortie_rules::time::Millis;
use sortie_store::desired::pins;
use sortie_store::events::NewEvent;
use sortie_store::{Tx, events, meta, orgs};

use super::manifest::Manifest;
use crate::audit::{Act, record};
use crate::fault::Fault;

/// Which restore a store comes from.
pub(super) const RESTORED_BY: &str = "restored_by";

/// How a store remembers which restore of which backup it comes from.
pub(super) fn mark(restore: &str, manifest: &Manifest) -> String {
    format!("{restore} of {}", manifest.id)
}

/// Leaps, and writes down in each org's audit log that its hub was restored.
pub(super) async fn leap(tx: &mut Tx, manifest: &Manifest, restore: &str, now: Millis) -> Result<(), Fault> {
    let told = serde_json::json!({
        "backup": manifest.id, "created_at": manifest.created_at, "engine": manifest.engine, "schema": manifest.schema,
    });
    let data = told.to_string();
    let event =
        NewEvent { org: DEFAULT_ORG, at: now, kind: "hub.restored", node: None, task: None, actor: "hub", data: &data };
    events::leap(tx, &event, EVENT_NUMBERS_LEAPT).await?;
    pins::leap(tx, now).await?;
    let mut after: Option<OrgId> = None;
    loop {
        let page = orgs::list(tx, after, PAGE_MAX).await?;
        for org in &page {
            let act = Act::by_hub(org.id, Action::HubRestore, now).on("hub", &manifest.id).changes(told.clone());
            record(tx, act).await?;
        }
        match page.last() {
            Some(last) if page.len() == PAGE_MAX as usize => after = Some(last.id),
            _ => break,
        }
    }
    meta::set(tx, RESTORED_BY, &mark(restore, manifest)).await?;
    Ok(())
}
