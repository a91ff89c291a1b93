//! Secrets: values that desired states refer to. They are written and never read.

use reqwest::Method;
use sortie_wire::pages::Page;
use sortie_wire::secrets::{Secret, WriteSecret};

use super::Hub;
use crate::error::ClientError;

impl Hub {
    /// A page of the org's secrets, by name, without their values.
    pub async fn secrets(&self, after: Option<String>, limit: Option<u32>) -> Result<Page<Secret>, ClientError> {
        self.get_page(&["secrets"], after, limit).await
    }

    /// One secret, without its value, and the layers that use it.
    pub async fn secret(&self, name: &str) -> Result<Secret, ClientError> {
        self.get(&["secrets", name], &()).await
    }

    /// Gives a secret its value.
    pub async fn set_secret(&self, name: &str, value: &WriteSecret) -> Result<Secret, ClientError> {
        self.set(Method::PUT, &["secrets", name], value).await
    }

    /// Deletes a secret to which nothing refers.
    pub async fn remove_secret(&self, name: &str) -> Result<Secret, ClientError> {
        self.remove(&["secrets", name]).await
    }
}
