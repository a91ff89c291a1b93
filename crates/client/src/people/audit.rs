//! The audit log.

use sortie_wire::audit::{AuditExportQuery, AuditHead, AuditLink, AuditQuery};
use sortie_wire::envelope::Envelope;
use sortie_wire::keys::{KeyChain, KeySet, KeysQuery};
use sortie_wire::pages::Page;

use super::Hub;
use crate::error::ClientError;

impl Hub {
    /// A page of the audit log, newest first. It may have less than was asked for, and go on all the same.
    pub async fn audit(&self, query: &AuditQuery) -> Result<Page<AuditLink>, ClientError> {
        self.get(&["audit"], query).await
    }

    /// Where the org's chain stands, signed by the hub.
    pub async fn audit_head(&self) -> Result<AuditHead, ClientError> {
        self.get(&["audit", "head"], &()).await
    }

    /// A part of the chain as it is exported: at most `limit` links after this one, and the line that says where
    /// the chain stands there.
    pub async fn audit_export(&self, after: u64, limit: u32) -> Result<Vec<u8>, ClientError> {
        let query = AuditExportQuery { after: Some(after), limit: Some(limit) };
        self.get_bytes(&["audit", "export"], &query).await
    }

    /// Every public key with which the hub ever signed, those that have gone included: what was signed long ago
    /// is checked with them.
    pub async fn signing_keys(&self) -> Result<KeySet, ClientError> {
        let mut all = KeySet::default();
        loop {
            let chain: KeyChain = self.get_told(&["keys"], &KeysQuery { after: all.version }).await?;
            let sets = chain.links.iter().filter_map(Envelope::unverified_payload);
            for set in sets.filter_map(|payload| serde_json::from_slice::<KeySet>(&payload).ok()) {
                all.version = all.version.max(set.version);
                all.keys.extend(set.keys.into_iter().filter(|key| !all.keys.contains(key)).collect::<Vec<_>>());
            }
            if chain.links.is_empty() || all.version >= chain.newest {
                return Ok(all);
            }
        }
    }
}
