//! Maintenance of nodes.

use sortie_rules::ids::MaintenanceId;
use sortie_wire::maintenance::{Maintenance, MaintenanceQuery, StartMaintenance};
use sortie_wire::pages::Page;

use super::Hub;
use crate::error::ClientError;

impl Hub {
    /// Announces maintenance, from now on or later.
    pub async fn start_maintenance(&self, start: &StartMaintenance) -> Result<Maintenance, ClientError> {
        self.create(&["maintenance"], start, &self.key(None)).await
    }

    /// A page of maintenance.
    pub async fn maintenances(&self, query: &MaintenanceQuery) -> Result<Page<Maintenance>, ClientError> {
        self.get(&["maintenance"], query).await
    }

    /// Ends one before its time, or calls it off.
    pub async fn end_maintenance(&self, id: MaintenanceId) -> Result<Maintenance, ClientError> {
        self.remove(&["maintenance", &id.to_string()]).await
    }
}
