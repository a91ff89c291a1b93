//! The maintenance that was read lately, so that an alarm costs no query where there is none.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use sortie_rules::alarms::{Maintenance, Window};
use sortie_rules::ids::OrgId;
use sortie_rules::time::Millis;
use sortie_store::maintenance::{self, MaintenanceRow};
use sortie_store::{Store, StoreError};

/// Most orgs whose maintenance is kept in memory.
const CACHED_MAX: usize = 10_000;

/// What is known of every org's maintenance that was not over when it was read.
#[derive(Debug, Default)]
pub(crate) struct Maintenances(RwLock<Entries>);

#[derive(Debug, Default)]
struct Entries {
    of: HashMap<OrgId, Arc<Vec<Maintenance>>>,
    /// Rises when something is evicted: what was read before that is not remembered after it.
    changes: u64,
}

impl Maintenances {
    /// What there is of an org that is to come or under way.
    pub(super) async fn of(&self, store: &Store, org: OrgId, now: Millis) -> Result<Arc<Vec<Maintenance>>, StoreError> {
        let changes = match self.find(org) {
            Ok(known) => return Ok(known),
            Err(changes) => changes,
        };
        let rows = store.read(move |tx| Box::pin(async move { maintenance::not_over(tx, org, now).await })).await?;
        let read = Arc::new(rows.iter().filter_map(read).collect::<Vec<_>>());
        let mut entries = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if entries.changes == changes {
            if entries.of.len() >= CACHED_MAX {
                entries.of.clear();
            }
            entries.of.insert(org, Arc::clone(&read));
        }
        Ok(read)
    }

    /// What is in memory; else how many changes there were.
    fn find(&self, org: OrgId) -> Result<Arc<Vec<Maintenance>>, u64> {
        let entries = self.0.read().unwrap_or_else(PoisonError::into_inner);
        entries.of.get(&org).cloned().ok_or(entries.changes)
    }

    /// Forgets an org's: something was announced or ended.
    pub(crate) fn evict(&self, org: OrgId) {
        let mut entries = self.0.write().unwrap_or_else(PoisonError::into_inner);
        entries.changes += 1;
        entries.of.remove(&org);
    }

    /// Forgets every org's: any may have been changed.
    pub(crate) fn evict_all(&self) {
        let mut entries = self.0.write().unwrap_or_else(PoisonError::into_inner);
        entries.changes += 1;
        entries.of.clear();
    }
}

/// A row as the rules see it. One that cannot be read holds nothing back.
fn read(row: &MaintenanceRow) -> Option<Maintenance> {
    let asked = serde_json::from_str(&row.selector).map_err(|error| error.to_string());
    match asked.and_then(|asked| crate::jobs::selector(&asked).map_err(|fault| fault.to_string())) {
        Ok(selector) => Some(Maintenance { window: Window { from: row.begins_at, until: row.ends_at }, selector }),
        Err(error) => {
            tracing::error!(maintenance = %row.id, error, "A maintenance cannot be read; it holds nothing back");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sortie_rules::ids::{DEFAULT_ORG, Id};

    #[test]
    fn what_was_read_before_a_change_is_not_kept_after_it() {
        let all = Maintenances::default();
        let before = all.find(DEFAULT_ORG).expect_err("it is not in memory");
        all.evict(DEFAULT_ORG);
        assert_ne!(all.find(DEFAULT_ORG).expect_err("nor is it now"), before);
    }

    #[test]
    fn what_cannot_be_read_holds_nothing_back() {
        let row = |selector: &str| MaintenanceRow {
            id: Id::from_uuid(uuid::Uuid::from_u128(1)),
            org: DEFAULT_ORG,
            reason: "disks".into(),
            selector: selector.into(),
            begins_at: Millis(1),
            ends_at: Millis(2),
            made_by: "ann".into(),
            made_at: Millis(1),
            ended: None,
        };
        assert!(read(&row(r#"{"all":true}"#)).is_some_and(|one| one.selector.all));
        assert!(read(&row("{}")).is_none() && read(&row("[]")).is_none());
    }
}
