//! One typed way to call the hub: for the agent (`agent`) and for people and programs (`people`).
//!
//! `connect` says how a hub is reached and whom to believe (`tls`, `proxy`); `call` carries one
//! request and its bounded answer; `error` says what went wrong in words that a caller can decide
//! on; `retry` tries again where that cannot do a thing twice. `provider`
//! is one that is not the hub: where people sign in; `events_nats` is another: where the hub's events
//! can be read. Time and randomness come in through `clock`. All calls of the hub speak HTTP/1.1;
//! `connect` says why.

pub mod agent;
mod call;
mod classify;
pub mod clock;
mod connect;
mod crypto;
mod error;
#[cfg(feature = "events-nats")]
pub mod events_nats;
pub mod people;
pub mod provider;
mod proxy;
pub mod retry;
pub mod tls;

pub use clock::{Clock, Entropy, Steady};
pub use connect::{Connect, SetupError};
pub use crypto::install_crypto;
pub use error::{ClientError, Doubt, Stage};
pub use proxy::Proxy;
pub use tls::{Identity, TlsFault, Trust};
