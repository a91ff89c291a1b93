//! How the org fares.

use sortie_wire::summary::Summary;

use super::Hub;
use crate::error::ClientError;

impl Hub {
    /// How many nodes, tasks, jobs and operations stand where, as far as the token may read them.
    pub async fn summary(&self) -> Result<Summary, ClientError> {
        self.get(&["summary"], &()).await
    }
}
