//! An event that has come, and what may be said about it.

use std::time::Duration;

use async_nats::jetstream::{AckKind, Message};
use sortie_rules::ids::OrgId;
use sortie_rules::time::Span;
use sortie_wire::cloud_events::CloudEvent;
use sortie_wire::events::Event;

use super::error::AcknowledgeError;

/// An event that has come. It comes again unless it is [acknowledged](Received::acknowledge).
#[derive(Debug)]
pub struct Received {
    /// What happened.
    pub event: Event,
    /// Whose it is.
    pub org: OrgId,
    /// The same each time this event comes, and no other event has it.
    pub id: String,
    /// The hub where it happened.
    pub source: String,
    /// Its place in the stream.
    pub place: u64,
    /// How often it has come, this time included.
    pub times: u64,
    message: Message,
}

impl Received {
    /// A message with what was read from it.
    pub(super) fn of(message: Message, read: CloudEvent) -> Received {
        let (place, times) =
            message.info().map_or((0, 1), |info| (info.stream_sequence, info.delivered.unsigned_abs()));
        let CloudEvent { id, source, org, data: event, .. } = read;
        Received { event, org, id, source, place, times, message }
    }

    /// It is done with: it does not come again. Returns once NATS has noted it.
    pub async fn acknowledge(&self) -> Result<(), AcknowledgeError> {
        self.message.double_ack().await.map_err(|error| self.unsaid(&error))
    }

    /// It cannot be dealt with now: it comes again after so long.
    pub async fn later(&self, after: Span) -> Result<(), AcknowledgeError> {
        let after = Some(after.to_std()).filter(|after| *after > Duration::ZERO);
        self.message.ack_with(AckKind::Nak(after)).await.map_err(|error| self.unsaid(&error))
    }

    /// It is still being worked on: NATS waits on before it hands it out again.
    pub async fn still_at_it(&self) -> Result<(), AcknowledgeError> {
        self.message.ack_with(AckKind::Progress).await.map_err(|error| self.unsaid(&error))
    }

    /// It will never be dealt with: it does not come again, and NATS tells whoever watches the consumer why.
    pub async fn give_up(&self, reason: &str) -> Result<(), AcknowledgeError> {
        terminate(&self.message, reason).await.map_err(|why| AcknowledgeError { id: self.id.clone(), why })
    }

    fn unsaid(&self, error: &async_nats::Error) -> AcknowledgeError {
        AcknowledgeError { id: self.id.clone(), why: error.to_string() }
    }
}

/// Says that a message shall not come again, and why where the server can hear it (2.10.4 and later).
pub(super) async fn terminate(message: &Message, reason: &str) -> Result<(), String> {
    let client = message.context.client();
    let Some(reply) = message.reply.clone() else { return Err("the message is not of JetStream".to_owned()) };
    let word = if client.is_server_compatible(2, 10, 4) {
        // One line: the rest of the message is its reason.
        let reason: String = reason.chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect();
        format!("+TERM {reason}")
    } else {
        "+TERM".to_owned()
    };
    client.publish(reply, word.into()).await.map_err(|error| error.to_string())
}
