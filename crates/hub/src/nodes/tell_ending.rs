//! Tells of certificates that are near their end and were not renewed, each once: what agents do at half of a
//! certificate's life, something keeps this one from.

use std::sync::Arc;

use sortie_rules::limits::{CERTIFICATE_ENDS_WITHIN, CERTIFICATES_TOLD_AT_ONCE};
use sortie_store::nodes;

use crate::app::App;
use crate::events::{self, Record};
use crate::fault::Fault;

/// Looks for them. Returns how many there were.
pub(crate) async fn tell_ending(app: &App) -> Result<u64, Fault> {
    let mut total = 0;
    loop {
        let now = app.clock.now();
        let before = now + CERTIFICATE_ENDS_WITHIN;
        let limit = CERTIFICATES_TOLD_AT_ONCE;
        let found = app
            .store
            .read(move |tx| Box::pin(async move { nodes::certificates_ending(tx, before, limit).await }))
            .await?;
        let count = found.len();
        let found = Arc::new(found);
        let written = app.store.write(move |tx| {
            Box::pin(async move {
                let stand = nodes::set_certificate_told(tx, &found).await?;
                // One without a certificate has a time for it all the same.
                let of_those = found.iter().zip(stand).filter(|(ending, stands)| *stands && ending.has_certificate);
                let record = |ending: &nodes::EndingRow| {
                    let data = serde_json::json!({ "until": ending.until });
                    Record::new(ending.org, now, "node.certificate_ending", "hub").node(ending.id).data(&data)
                };
                let records: Vec<_> = of_those.map(|(ending, _)| record(ending)).collect();
                if records.is_empty() { Ok(()) } else { events::record_all(tx, &records).await }
            })
        });
        if count > 0 {
            written.await?;
        }
        total += count as u64;
        if count < limit as usize {
            return Ok(total);
        }
    }
}
