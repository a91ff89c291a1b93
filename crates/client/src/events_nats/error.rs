//! What goes wrong between a subscriber and NATS, and what to do about it.

/// NATS does not let us in.
#[derive(Debug, thiserror::Error)]
#[error("NATS at {url} {why}")]
pub struct NatsError {
    pub(super) url: String,
    pub(super) why: String,
    pub(super) refused: bool,
}

impl NatsError {
    /// Whether NATS was there and said no, or what it was asked with cannot be used: to try again changes nothing.
    pub fn is_refused(&self) -> bool {
        self.refused
    }
}

/// Events cannot be subscribed to.
#[derive(Debug, thiserror::Error)]
pub enum SubscribeError {
    /// NATS does not let us in.
    #[error(transparent)]
    Nats(#[from] NatsError),
    /// There is no such consumer.
    #[error(
        "the stream `{stream}` of NATS has no consumer `{consumer}`: {why}; make it with `sortie events setup \
         --stream {stream} --consumer {consumer}`"
    )]
    NoConsumer {
        /// The stream.
        stream: String,
        /// The consumer.
        consumer: String,
        /// What JetStream said.
        why: String,
    },
    /// The consumer was there, and somebody has deleted it.
    #[error("the consumer `{consumer}` of the stream `{stream}` was deleted while it was read")]
    Deleted {
        /// The stream.
        stream: String,
        /// The consumer.
        consumer: String,
    },
}

/// NATS could not be told what became of an event. It comes again.
#[derive(Debug, thiserror::Error)]
#[error("NATS did not take the word on the event {id}: {why}; the event comes again")]
pub struct AcknowledgeError {
    pub(super) id: String,
    pub(super) why: String,
}
