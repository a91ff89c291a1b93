//! Orgs: the tenants of a hub.

use sortie_rules::ids::OrgId;
use sortie_wire::orgs::{CreateOrg, CreatedOrg, Org};
use sortie_wire::pages::Page;
use sortie_wire::tokens::CreatedToken;

use super::Hub;
use crate::error::ClientError;

impl Hub {
    /// Makes an org. The answer is the only place where its first administrator's token is shown.
    pub async fn create_org(&self, org: &CreateOrg, idempotency_key: Option<&str>) -> Result<CreatedOrg, ClientError> {
        self.create(&["orgs"], org, &self.key(idempotency_key)).await
    }

    /// Makes another administrator's token for an org that has lost its own. It is shown only here.
    pub async fn make_org_admin(&self, org: OrgId) -> Result<CreatedToken, ClientError> {
        self.create(&["orgs", &org.to_string(), "admin"], &serde_json::json!({}), &self.key(None)).await
    }

    /// A page of orgs.
    pub async fn orgs(&self, after: Option<String>, limit: Option<u32>) -> Result<Page<Org>, ClientError> {
        self.get_page(&["orgs"], after, limit).await
    }
}
