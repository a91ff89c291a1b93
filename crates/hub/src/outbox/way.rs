//! What the hub keeps in memory of its outbox: the way out, and how it goes.

use std::sync::Arc;

use sortie_rules::backoff::Backoff;
use sortie_rules::limits::{NATS_BACKOFF_FIRST, NATS_BACKOFF_MAX};
use sortie_rules::time::Millis;
use tokio::sync::{Mutex, Notify};

use super::connection::Connection;
use super::settings::{NatsError, NatsSettings};
use super::trouble::{Kind, Trouble};

/// How long NATS is left alone after it did not do its part.
const BACKOFF: Backoff = Backoff { first: NATS_BACKOFF_FIRST, cap: NATS_BACKOFF_MAX };

/// The way out for events.
#[derive(Debug)]
pub(crate) struct Outbox {
    pub(crate) settings: NatsSettings,
    /// Rings when there are new events.
    bell: Arc<Notify>,
    pub(super) way: Mutex<Way>,
}

/// How it goes.
#[derive(Debug, Default)]
pub(super) struct Way {
    pub(super) connection: Option<Connection>,
    failures: u32,
    not_before: Millis,
    trouble: Option<Kind>,
}

impl Outbox {
    /// The way out, if the settings name one. Nothing is sent yet.
    pub(crate) fn new(settings: Option<&NatsSettings>) -> Result<Option<Outbox>, NatsError> {
        let Some(settings) = settings else { return Ok(None) };
        settings.files_are_there()?;
        Ok(Some(Outbox { settings: settings.clone(), bell: Arc::default(), way: Mutex::default() }))
    }

    /// The bell that rings when there are new events.
    pub(crate) fn bell(&self) -> Arc<Notify> {
        Arc::clone(&self.bell)
    }

    /// Rings it.
    pub(crate) fn ring(&self) {
        self.bell.notify_one();
    }
}

impl Way {
    /// Whether it makes sense to try.
    pub(super) fn may_try(&self, now: Millis) -> bool {
        now >= self.not_before
    }

    /// It went wrong. A trouble is told once, however often it comes.
    pub(super) fn went_wrong(&mut self, trouble: &Trouble, now: Millis, draw: u32) {
        if matches!(trouble.kind, Kind::Away | Kind::Refused | Kind::Silent) {
            self.connection = None;
            metrics::gauge!("sortie_outbox_connected").set(0.0);
        }
        self.failures = self.failures.saturating_add(1);
        self.not_before = now + BACKOFF.wait(self.failures, draw);
        if self.trouble.replace(trouble.kind) != Some(trouble.kind) {
            tracing::warn!(why = %trouble, "Events do not leave for NATS; they are kept, and sent when they can be");
        }
    }

    /// There is a connection. Whether an event is taken over it, the next one will show.
    pub(super) fn connected(&mut self, connection: Connection, waiting: u64) {
        self.connection = Some(connection);
        metrics::gauge!("sortie_outbox_connected").set(1.0);
        if matches!(self.trouble, None | Some(Kind::Away | Kind::Refused)) {
            self.went_well(waiting);
        }
    }

    /// Another hub sends them. Whoever sends again begins anew.
    pub(super) fn rest(&mut self) {
        *self = Way::default();
        metrics::gauge!("sortie_outbox_connected").set(0.0);
    }

    /// Events are taken.
    pub(super) fn went_well(&mut self, waiting: u64) {
        if self.trouble.take().is_some() {
            tracing::info!(waiting, "Events leave for NATS again");
        }
        (self.failures, self.not_before) = (0, Millis::default());
    }
}
