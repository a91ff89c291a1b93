//! The hub's keys: what signs, what vouches, and how both rotate.

use reqwest::Method;
use sortie_wire::hub_keys::{FinishKeys, HubKeys, RotateKeys};

use super::Hub;
use crate::error::ClientError;

impl Hub {
    /// The keys, and which nodes lag behind them.
    pub async fn hub_keys(&self) -> Result<HubKeys, ClientError> {
        self.get(&["keys"], &()).await
    }

    /// Brings in a new key. The same request again changes nothing more.
    pub async fn rotate_keys(&self, request: &RotateKeys) -> Result<HubKeys, ClientError> {
        self.set(Method::POST, &["keys", "rotate"], request).await
    }

    /// Takes out what is not used any more. The same request again changes nothing more.
    pub async fn finish_keys(&self, request: &FinishKeys) -> Result<HubKeys, ClientError> {
        self.set(Method::POST, &["keys", "finish"], request).await
    }
}
