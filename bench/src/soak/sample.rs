//! One look at the hub.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use super::notes::Since;
use crate::hub::Hub;
use crate::process;
use crate::rows::ground::Kept;

/// What was seen.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Sample {
    /// Seconds since the beginning.
    pub(super) at_s: u64,
    /// The hub's resident memory, and the part of it that is its own.
    pub(super) rss_kb: u64,
    pub(super) own_kb: u64,
    /// Files and sockets that it has open.
    pub(super) open_files: u64,
    /// The size of the database, and of its log of writes.
    pub(super) database_kb: u64,
    pub(super) wal_kb: u64,
    /// Tasks so far, and how many of them have not ended.
    pub(super) tasks: u64,
    pub(super) under_way: u64,
    /// Tasks that ended in a second, since the look before.
    pub(super) per_second: f64,
    /// From the call that submits to the start of the handler, since the look before.
    pub(super) p50_ms: Option<f64>,
    pub(super) p99_ms: Option<f64>,
    /// Errors since the look before, by code.
    pub(super) errors: BTreeMap<String, u64>,
    /// Whether the hub was restarted since the look before.
    pub(super) restarted: bool,
}

impl Sample {
    /// Looks.
    pub(super) fn take(hub: &Hub, kept: Kept, since: Since, at: Duration, before: Option<&Sample>) -> Sample {
        let pid = hub.pid();
        let under_way = since.submitted.saturating_sub(since.ended);
        let ended_before = before.map_or(0, |sample| sample.tasks - sample.under_way);
        let seconds = at.as_secs_f64() - before.map_or(0.0, |sample| sample.at_s as f64);
        let mut spans = since.spans;
        spans.sort_unstable();
        let percentile = |percent: usize| {
            let at = (spans.len() * percent / 100).min(spans.len().saturating_sub(1));
            spans.get(at).map(|span| tenths(span.as_secs_f64() * 1000.0))
        };
        Sample {
            at_s: at.as_secs(),
            rss_kb: process::resident_kib(pid).unwrap_or(0),
            own_kb: process::own_kib(pid).unwrap_or(0),
            open_files: process::open_files(pid).unwrap_or(0),
            database_kb: kept.database_bytes / 1024,
            wal_kb: kept.wal_bytes / 1024,
            tasks: since.submitted,
            under_way,
            // Events of tasks that another call has not been acknowledged of yet may be there already.
            per_second: tenths(since.ended.saturating_sub(ended_before) as f64 / seconds.max(1.0)),
            p50_ms: percentile(50),
            p99_ms: percentile(99),
            errors: since.errors,
            restarted: since.was_away,
        }
    }
}

fn tenths(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}
