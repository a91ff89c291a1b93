//! Org settings: what the administrators of an org may choose.

use reqwest::Method;
use serde_json::Value;
use sortie_wire::org_settings::{EvictOrgSettings, EvictedOrgSettings, OrgSetting, PutOrgSetting};
use sortie_wire::pages::Page;

use super::Hub;
use crate::error::ClientError;

impl Hub {
    /// Every org setting, by key.
    pub async fn org_settings(&self) -> Result<Page<OrgSetting>, ClientError> {
        self.get(&["settings"], &()).await
    }

    /// One org setting.
    pub async fn org_setting(&self, key: &str) -> Result<OrgSetting, ClientError> {
        self.get(&["settings", key], &()).await
    }

    /// Chooses what shall hold from now on.
    pub async fn set_org_setting(&self, key: &str, value: Value) -> Result<OrgSetting, ClientError> {
        self.set(Method::PUT, &["settings", key], &PutOrgSetting { value }).await
    }

    /// Goes back to the default.
    pub async fn reset_org_setting(&self, key: &str) -> Result<OrgSetting, ClientError> {
        self.remove(&["settings", key]).await
    }

    /// Makes every hub forget what it has in memory of one org setting, or of all of them. Doing so again harms nobody.
    pub async fn evict_org_settings(&self, key: Option<&str>) -> Result<EvictedOrgSettings, ClientError> {
        let body = EvictOrgSettings { key: key.map(str::to_owned) };
        self.set(Method::POST, &["settings", "evict"], &body).await
    }
}
