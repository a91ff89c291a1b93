//! Forgets old events, but not those that NATS has still to get.

use sortie_rules::outbox::forgettable;
use sortie_rules::time::{Millis, Span};
use sortie_store::{StoreError, Tx, events, outbox};

use crate::settings::Settings;

/// Deletes up to `limit` events of those that may go. Returns how many went.
pub(crate) async fn forget(tx: &mut Tx, settings: &Settings, now: Millis, limit: u32) -> Result<u64, StoreError> {
    let retention = Span::days(settings.retention.events_d.into());
    let Some(nats) = &settings.nats else { return events::delete_older(tx, now - retention, None, limit).await };
    let forget = forgettable(now, retention, nats.held());
    let relayed = outbox::cursor(tx, &nats.relay).await?.unwrap_or(0);
    let mut gone = events::delete_older(tx, forget.relayed_before, Some(relayed), limit).await?;
    gone += events::delete_older(tx, forget.any_before, None, limit).await?;
    Ok(gone)
}
