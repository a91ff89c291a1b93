//! The newest version of each org's operators, so that no wait costs a query.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use sortie_rules::ids::OrgId;
use sortie_store::{Store, StoreError, operator_sets};

/// The newest version of each org that was asked for.
#[derive(Debug, Default)]
pub(crate) struct Published(RwLock<Versions>);

#[derive(Debug, Default)]
struct Versions {
    of_org: HashMap<OrgId, u64>,
    /// Rises when something is forgotten: what was read before that is not remembered after it.
    changes: u64,
}

impl Published {
    /// The newest version of an org; 0 if none was published.
    pub(crate) async fn version(&self, store: &Store, org: OrgId) -> Result<u64, StoreError> {
        let before = {
            let versions = self.0.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(version) = versions.of_org.get(&org) {
                return Ok(*version);
            }
            versions.changes
        };
        let newest = store.read(move |tx| Box::pin(async move { operator_sets::newest(tx, org).await })).await?;
        let version = newest.map_or(0, |row| row.version);
        let mut versions = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if versions.changes == before {
            versions.of_org.insert(org, version);
        }
        Ok(version)
    }

    /// Forgets an org: a set was published. Call it after the commit.
    pub(crate) fn forget(&self, org: OrgId) {
        let mut versions = self.0.write().unwrap_or_else(PoisonError::into_inner);
        versions.changes += 1;
        versions.of_org.remove(&org);
    }

    /// Forgets every org.
    pub(crate) fn forget_all(&self) {
        let mut versions = self.0.write().unwrap_or_else(PoisonError::into_inner);
        versions.changes += 1;
        versions.of_org.clear();
    }
}
