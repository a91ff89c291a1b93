//! By when backups of nodes are expected.

use reqwest::Method;
use sortie_wire::backups::{BackupDeadline, PutBackupDeadline};
use sortie_wire::pages::Page;

use super::Hub;
use crate::error::ClientError;

impl Hub {
    /// Every deadline of the org, by name.
    pub async fn backup_deadlines(&self) -> Result<Page<BackupDeadline>, ClientError> {
        self.get(&["backup-deadlines"], &()).await
    }

    /// Says by when backups are expected, in place of what was said under this name.
    pub async fn set_backup_deadline(
        &self,
        name: &str,
        deadline: &PutBackupDeadline,
    ) -> Result<BackupDeadline, ClientError> {
        self.set(Method::PUT, &["backup-deadlines", name], deadline).await
    }

    /// Expects them no more. Returns what was expected.
    pub async fn remove_backup_deadline(&self, name: &str) -> Result<BackupDeadline, ClientError> {
        self.remove(&["backup-deadlines", name]).await
    }
}
