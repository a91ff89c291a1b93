//! Orgs: the tenants of a hub.

use sortie_wire::orgs::{CreateOrg, CreatedOrg, Org};
use sortie_wire::pages::Page;

use super::Hub;
use crate::error::ClientError;

impl Hub {
    /// Makes an org. The answer is the only place where its first administrator's token is shown.
    pub async fn create_org(&self, org: &CreateOrg, idempotency_key: Option<&str>) -> Result<CreatedOrg, ClientError> {
        self.create(&["orgs"], org, &self.key(idempotency_key)).await
    }

    /// A page of orgs.
    pub async fn orgs(&self, after: Option<String>, limit: Option<u32>) -> Result<Page<Org>, ClientError> {
        self.get(&["orgs"], &[("after", after), ("limit", limit.map(|limit| limit.to_string()))]).await
    }
}
