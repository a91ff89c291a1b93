//! The denied tokens in memory: each request with a token of the provider asks here.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use sortie_rules::ids::OrgId;
use sortie_rules::time::Millis;
use sortie_store::{Store, StoreError, denied_tokens};

/// The denied tokens of every org, and when each ends by itself.
#[derive(Debug, Default)]
pub(crate) struct Denied(RwLock<HashMap<OrgId, HashMap<String, Millis>>>);

impl Denied {
    /// Reads all that stand: at the start, and when another hub denied one. None is taken back, so that one
    /// that is denied meanwhile stays.
    pub(crate) async fn load(&self, store: &Store) -> Result<(), StoreError> {
        let rows = store.read(|tx| Box::pin(async move { denied_tokens::all(tx).await })).await?;
        for row in rows {
            self.add(row.org, row.jti, row.expires_at);
        }
        Ok(())
    }

    /// Denies one more.
    pub(super) fn add(&self, org: OrgId, jti: String, expires_at: Millis) {
        let mut denied = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let end = denied.entry(org).or_default().entry(jti).or_insert(expires_at);
        *end = (*end).max(expires_at);
    }

    /// Whether this token is denied.
    pub(crate) fn holds(&self, org: OrgId, jti: &str) -> bool {
        let denied = self.0.read().unwrap_or_else(PoisonError::into_inner);
        denied.get(&org).is_some_and(|of_org| of_org.contains_key(jti))
    }

    /// Forgets those that have ended by themselves.
    pub(crate) fn tidy(&self, now: Millis) {
        let mut denied = self.0.write().unwrap_or_else(PoisonError::into_inner);
        denied.retain(|_, of_org| {
            of_org.retain(|_, end| now < *end);
            !of_org.is_empty()
        });
    }
}
