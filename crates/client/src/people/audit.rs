//! The audit log.

use sortie_wire::audit::{AuditExportQuery, AuditHead, AuditLink, AuditQuery};
use sortie_wire::keys::KeySet;
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

    /// The public keys with which the hub signs.
    pub async fn hub_keys(&self) -> Result<KeySet, ClientError> {
        self.get_told(&["keys"]).await
    }
}
