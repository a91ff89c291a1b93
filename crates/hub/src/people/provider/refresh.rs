//! Reads the provider's keys: from time to time, and once when a token names a key that is not known. One
//! reading goes on at a time, and strangers with made-up keys cause no more than one in ten seconds.

use std::sync::Arc;

use sortie_rules::limits::{PROVIDER_RETRY, UNKNOWN_KEY_PAUSE};
use sortie_rules::time::{Millis, Span};

use super::client::{Known, Provider};
use super::discovery;
use crate::app::App;
use crate::clock::Clock;
use crate::fault::Fault;

/// Who holds it, asks the provider.
#[derive(Debug, Default)]
pub(super) struct Gate {
    /// When it is to be read again, and how long that was after the last time.
    next: Option<(Millis, Span)>,
    /// When an unknown key was asked for last.
    asked_at: Option<Millis>,
}

impl Provider {
    /// Reads addresses and keys anew, if it is time to. What is known stays if the provider is away.
    pub(crate) async fn refresh_if_due(app: &App) -> Result<u64, Fault> {
        let Some(provider) = &app.provider else { return Ok(0) };
        let mut gate = provider.0.gate.lock().await;
        let now = app.clock.now();
        // A clock that was put back delays nothing.
        if gate.next.is_some_and(|(at, pause)| now < at && at.since(now) <= pause) {
            return Ok(0);
        }
        let read = provider.read_all().await;
        let usual = Span::seconds(provider.0.settings.refresh_s.into());
        let pause = if read.is_ok() { usual } else { usual.min(PROVIDER_RETRY) };
        gate.next = Some((app.clock.now() + pause, pause));
        read.map(|()| 1).map_err(|why| Fault::Broken(format!("the identity provider: {why}")))
    }

    /// Reads the keys anew for a token that names one that is not known, unless that was done just now.
    /// `seen`: what was known when the key was looked for.
    pub(super) async fn look_again(&self, clock: &Clock, seen: Option<&Arc<Known>>) {
        let (provider, clock) = (self.clone(), clock.clone());
        let seen = seen.map(Arc::clone);
        // On a task of its own: whoever asked may go away, and others wait for the same.
        let reading = tokio::spawn(async move {
            let mut gate = provider.0.gate.lock().await;
            let known = provider.0.known.load_full();
            let is_news = match (&known, &seen) {
                (Some(known), Some(seen)) => !Arc::ptr_eq(known, seen),
                (known, seen) => known.is_some() != seen.is_some(),
            };
            let now = clock.now();
            let was_asked = gate.asked_at.is_some_and(|at| now >= at && now.since(at) < UNKNOWN_KEY_PAUSE);
            if is_news || was_asked {
                return;
            }
            gate.asked_at = Some(now);
            if let Err(why) = provider.read_all().await {
                tracing::warn!(why, "The identity provider could not be asked for a key that a token names");
            }
        });
        let _ = reading.await;
    }

    async fn read_all(&self) -> Result<(), String> {
        metrics::counter!("sortie_provider_readings_total").increment(1);
        let inner = &self.0;
        let issuer = inner.settings.issuer.as_deref().unwrap_or_default();
        let metadata = discovery::metadata(&inner.http, issuer).await?;
        let keys = discovery::keys(&inner.http, &metadata).await?;
        let before = inner.known.load_full();
        let is_same = before.is_some_and(|before| before.keys.are(&keys) && before.metadata == metadata);
        if !is_same {
            inner.known.store(Some(Arc::new(Known { metadata, keys })));
            // A key that is gone signs for nobody any more.
            inner.verified.forget_all();
            tracing::info!(issuer, "The identity provider's keys were read");
        }
        Ok(())
    }
}
