//! Tells events of backups by itself, from what reports of them say: each once, kept in the ledger until the hub has
//! it.

use serde_json::{Map, Value};
use sortie_rules::backoff::Backoff;
use sortie_rules::backups::{BACKUP, read_facts};
use sortie_rules::ids::Id;
use sortie_rules::limits::NODE_EVENTS_AT_ONCE;
use sortie_rules::reports::Made;
use sortie_rules::time::{Millis, Span};
use tokio::sync::Notify;
use uuid::Builder;

use super::all::Reports;
use super::send::is_about_what_was_sent;
use crate::clock::Entropy;
use crate::ledger::{BackupReport, Ledger};

/// How the waits between tries grow.
const BACKOFF: Backoff = Backoff { first: Span::seconds(1), cap: Span::minutes(5) };

/// Where events are kept until they are sent.
#[derive(Debug)]
pub(crate) struct Telling {
    ledger: Ledger,
    entropy: Entropy,
    /// Rings when there is one more.
    bell: Notify,
}

impl Telling {
    /// Keeps them in this ledger.
    pub(crate) fn new(ledger: Ledger, entropy: Entropy) -> Telling {
        Telling { ledger, entropy, bell: Notify::new() }
    }

    /// Keeps what a report has to tell. One that is not of a backup's target has nothing; what is wrong in one the hub
    /// says when it refuses the report.
    pub(super) async fn note(&self, kind: &str, made: &Made, taken_at: Millis) {
        let Some(target) = made.subject.clone().filter(|_| kind == BACKUP) else { return };
        let facts = serde_json::from_str::<Map<String, Value>>(made.facts.get()).ok();
        let Some(facts) = facts.and_then(|facts| read_facts(&facts).ok()) else { return };
        let fresh = Id::from_uuid(Builder::from_random_bytes(self.entropy.bytes()).into_uuid());
        match self.ledger.tell_backup(BackupReport { target, facts, now: taken_at, fresh }).await {
            Ok(0) => {}
            Ok(_) => self.bell.notify_one(),
            Err(error) => {
                tracing::warn!(%error, "what is to be told of a backup could not be kept; the next report has it")
            }
        }
    }
}

impl Reports {
    /// Sends events for ever, in their order.
    pub(super) async fn tell(&self) {
        let (telling, mut failures) = (&self.telling, 0);
        loop {
            let kept = telling.ledger.untaken(NODE_EVENTS_AT_ONCE).await;
            let events = match kept {
                Ok(Some(events)) => events,
                Ok(None) => {
                    telling.bell.notified().await;
                    continue;
                }
                Err(error) => {
                    tracing::warn!(%error, "events could not be read from the ledger");
                    telling.bell.notified().await;
                    continue;
                }
            };
            let last = events.events.last().map_or(0, |event| event.number);
            match self.hub.line().events(self.hub.node(), &events).await {
                Ok(()) => failures = 0,
                // The same again would be refused again.
                Err(error) if is_about_what_was_sent(&error) => {
                    tracing::warn!(events = events.events.len(), %error, "the hub has refused events");
                }
                Err(error) => {
                    failures += 1;
                    let wait = BACKOFF.wait(failures, self.runner.entropy.draw());
                    let wait = wait.max(error.retry_after().unwrap_or(Span::ZERO));
                    tracing::debug!(%error, wait_ms = wait.0, "events could not be sent; they will be tried again");
                    tokio::time::sleep(wait.to_std()).await;
                    continue;
                }
            }
            if let Err(error) = telling.ledger.taken(last).await {
                tracing::warn!(%error, "it could not be written down that the hub has events; it is told them again");
                telling.bell.notified().await;
            }
        }
    }
}
