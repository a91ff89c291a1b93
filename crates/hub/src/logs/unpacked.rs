//! Archived logs that are unpacked in memory. They are read part by part, and fetching one anew for each part would
//! cost as many times as much. What a blob holds never changes, so nothing here grows stale.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use sortie_rules::ids::BlobId;
use sortie_rules::limits::LOGS_UNPACKED_MAX;
use sortie_store::blobs::BlobRow;
use sortie_wire::problem::ProblemCode;

use super::pack::unpack;
use crate::app::App;
use crate::blobs::fetch;
use crate::fault::{Fault, refuse};

/// The newest ones.
#[derive(Debug, Default)]
pub(crate) struct Unpacked(Mutex<VecDeque<(BlobId, Bytes)>>);

impl Unpacked {
    /// The log of so many bytes that lies in this blob.
    pub(super) async fn log(app: &App, blob: &BlobRow, length: u64) -> Result<Bytes, Fault> {
        if let Some(log) = app.unpacked.get(blob.id) {
            return Ok(log);
        }
        let packed = fetch(app, blob).await?;
        let unpacked = tokio::task::spawn_blocking(move || unpack(&packed, length)).await;
        let unpacked = unpacked.map_err(|error| Fault::Broken(error.to_string()))?;
        let log = Bytes::from(unpacked.map_err(|error| {
            tracing::error!(blob = %blob.id, %error, "An archived log cannot be unpacked");
            refuse(ProblemCode::BlobLost, "This log lay in a blob of the hub that cannot be read any more.")
        })?);
        let mut kept = app.unpacked.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push_front((blob.id, log.clone()));
        kept.truncate(LOGS_UNPACKED_MAX);
        Ok(log)
    }

    fn get(&self, blob: BlobId) -> Option<Bytes> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().find(|(id, _)| *id == blob).map(|(_, log)| log.clone())
    }
}
