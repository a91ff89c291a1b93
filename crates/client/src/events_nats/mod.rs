//! The hub's events from NATS JetStream, typed. Behind the feature `events-nats`.
//!
//! `connect` says where NATS is and how one signs in. A [`Subscriber`] reads a durable pull consumer,
//! which `sortie events setup` has made: what it hands out as [`Received`] comes again until it is
//! acknowledged, also after a crash. Each event can come more than once; its id is the same each time.
//! `docs/events-nats.md` says what is promised.

mod connect;
mod error;
mod received;
mod subscriber;

pub use connect::{Login, Nats};
pub use error::{AcknowledgeError, NatsError, SubscribeError};
pub use received::Received;
pub use subscriber::Subscriber;
