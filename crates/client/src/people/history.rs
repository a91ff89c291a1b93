//! Looking back.

use sortie_wire::history::{History, HistoryQuery};

use super::Hub;
use crate::error::ClientError;

impl Hub {
    /// What happened in the org.
    pub async fn org_history(&self, query: &HistoryQuery) -> Result<History, ClientError> {
        self.get(&["history"], query).await
    }

    /// What happened at a node.
    pub async fn node_history(&self, node: &str, query: &HistoryQuery) -> Result<History, ClientError> {
        self.get(&["nodes", node, "history"], query).await
    }
}
