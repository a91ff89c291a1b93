//! Reports: what nodes tell of themselves.

use sortie_wire::pages::Page;
use sortie_wire::reports::{Report, ReportQuery};

use super::Hub;
use crate::error::ClientError;

impl Hub {
    /// A page of a node's reports, newest first; without a kind the newest of each. A name may stand for the id.
    pub async fn reports(&self, node: &str, query: &ReportQuery) -> Result<Page<Report>, ClientError> {
        self.get(&["nodes", node, "reports"], query).await
    }
}
