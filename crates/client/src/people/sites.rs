//! Sites: named groups of nodes at one place.

use reqwest::Method;
use sortie_wire::nodes::{PutSite, Site};
use sortie_wire::pages::Page;

use super::Hub;
use crate::error::ClientError;

impl Hub {
    /// The sites, by key.
    pub async fn sites(&self) -> Result<Page<Site>, ClientError> {
        self.get(&["sites"], &()).await
    }

    /// One site.
    pub async fn site(&self, key: &str) -> Result<Site, ClientError> {
        self.get(&["sites", key], &()).await
    }

    /// Makes a site, or gives it another name.
    pub async fn put_site(&self, key: &str, site: &PutSite) -> Result<Site, ClientError> {
        self.set(Method::PUT, &["sites", key], site).await
    }

    /// Removes a site that nothing needs.
    pub async fn remove_site(&self, key: &str) -> Result<Site, ClientError> {
        self.remove(&["sites", key]).await
    }
}
