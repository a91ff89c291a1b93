//! Reads events from a durable pull consumer, over breaks of the line and restarts of NATS.

use std::fmt;

use async_nats::jetstream::consumer::PullConsumer;
use async_nats::jetstream::consumer::pull::{MessagesErrorKind, Stream};
use async_nats::jetstream::context::ConsumerInfoErrorKind;
use async_nats::jetstream::{self, Context, Message};
use futures_util::StreamExt as _;
use sortie_rules::backoff::Backoff;
use sortie_rules::limits::{EVENTS_AHEAD_MAX, NATS_BACKOFF_FIRST, NATS_BACKOFF_MAX, NATS_HEARTBEAT_EVERY};
use sortie_rules::time::Span;
use sortie_wire::cloud_events::CloudEvent;

use super::connect::Nats;
use super::error::SubscribeError;
use super::received::{Received, terminate};
use crate::clock::Entropy;

/// How long NATS is left alone after it did not hand out events.
const BACKOFF: Backoff = Backoff { first: NATS_BACKOFF_FIRST, cap: NATS_BACKOFF_MAX };
/// How long one request for events holds before the next one follows.
const PULL_LIFE: Span = Span::seconds(30);
/// How often in a row a consumer may be missing, for a server that is just starting knows few things.
const MISSING_MAX: u32 = 5;

/// Why events cannot be asked for.
struct NotPulled {
    is_missing: bool,
    words: String,
}

/// Reads events from a durable pull consumer. Several programs may read one consumer; each event goes to
/// one of them.
pub struct Subscriber {
    jetstream: Context,
    stream: String,
    consumer: String,
    entropy: Entropy,
    messages: Option<Stream>,
    failures: u32,
}

impl Subscriber {
    /// Connects and looks for the consumer, which `sortie events setup` makes.
    pub async fn open(
        nats: &Nats,
        stream: &str,
        consumer: &str,
        entropy: Entropy,
    ) -> Result<Subscriber, SubscribeError> {
        let jetstream = jetstream::new(nats.connect().await?);
        let (stream, consumer) = (stream.to_owned(), consumer.to_owned());
        let mut subscriber = Subscriber { jetstream, stream, consumer, entropy, messages: None, failures: 0 };
        subscriber.messages = Some(subscriber.pull().await.map_err(|why| subscriber.no_consumer(why.words))?);
        Ok(subscriber)
    }

    /// The next event. It waits for as long as there is none, whatever becomes of NATS meanwhile; it ends
    /// only with the consumer. What is no event of a hub is terminated, so that it blocks nobody, and logged.
    /// Dropping the call loses nothing.
    pub async fn next(&mut self) -> Result<Received, SubscribeError> {
        loop {
            let Some(messages) = &mut self.messages else {
                self.pull_again().await?;
                continue;
            };
            match messages.next().await {
                Some(Ok(message)) => {
                    self.failures = 0;
                    match CloudEvent::read(&message.payload) {
                        Ok(read) => return Ok(Received::of(message, read)),
                        Err(why) => poison(&message, &why.to_string()).await,
                    }
                }
                Some(Err(error)) if error.kind() == MessagesErrorKind::ConsumerDeleted => {
                    return Err(self.deleted());
                }
                Some(Err(error)) => {
                    tracing::debug!(%error, "NATS hands out no events; it is asked again");
                    self.messages = None;
                }
                None => self.messages = None,
            }
        }
    }

    /// Asks again for events, after a while.
    async fn pull_again(&mut self) -> Result<(), SubscribeError> {
        self.failures = self.failures.saturating_add(1);
        tokio::time::sleep(BACKOFF.wait(self.failures, self.entropy.draw()).to_std()).await;
        match self.pull().await {
            Ok(messages) => self.messages = Some(messages),
            Err(why) if why.is_missing && self.failures >= MISSING_MAX => return Err(self.deleted()),
            Err(why) => tracing::debug!(why = why.words, "NATS cannot be asked for events; it is tried again"),
        }
        Ok(())
    }

    async fn pull(&self) -> Result<Stream, NotPulled> {
        let temporary = |error: &dyn std::fmt::Display| NotPulled { is_missing: false, words: error.to_string() };
        let stream = self.jetstream.get_stream_no_info(&self.stream).await.map_err(|error| temporary(&error))?;
        stream.consumer_info(&self.consumer).await.map_err(|error| {
            let is_missing =
                matches!(error.kind(), ConsumerInfoErrorKind::NotFound | ConsumerInfoErrorKind::StreamNotFound);
            NotPulled { is_missing, words: error.to_string() }
        })?;
        let consumer: PullConsumer = stream.get_consumer(&self.consumer).await.map_err(|error| temporary(&error))?;
        // Nothing to hand out and a dead line look alike; the heartbeat tells them apart.
        let pull = consumer.stream().heartbeat(NATS_HEARTBEAT_EVERY.to_std()).expires(PULL_LIFE.to_std());
        pull.max_messages_per_batch(EVENTS_AHEAD_MAX).messages().await.map_err(|error| temporary(&error))
    }

    fn no_consumer(&self, why: String) -> SubscribeError {
        SubscribeError::NoConsumer { stream: self.stream.clone(), consumer: self.consumer.clone(), why }
    }

    fn deleted(&self) -> SubscribeError {
        SubscribeError::Deleted { stream: self.stream.clone(), consumer: self.consumer.clone() }
    }
}

impl fmt::Debug for Subscriber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Subscriber({}/{})", self.stream, self.consumer)
    }
}

/// Terminates what is no event, and says so.
async fn poison(message: &Message, why: &str) {
    let place = message.info().map_or(0, |info| info.stream_sequence);
    let subject = message.subject.as_str();
    tracing::warn!(place, subject, why, "A message is no event of a hub; it is terminated and does not come again");
    if let Err(error) = terminate(message, why).await {
        tracing::warn!(place, error, "NATS did not take the word on it; it comes again");
    }
}
