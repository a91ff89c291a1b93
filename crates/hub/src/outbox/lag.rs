//! How far NATS is behind, for those who watch the hub.

use sortie_rules::time::Millis;

/// Shows how many events wait, and for how long the oldest of them has.
pub(super) fn show(waiting: u64, oldest: Option<Millis>, now: Millis) {
    let seconds = oldest.map_or(0, |oldest| now.since(oldest).0 / 1000);
    metrics::gauge!("sortie_outbox_lag_events").set(waiting as f64);
    metrics::gauge!("sortie_outbox_lag_seconds").set(seconds as f64);
}
