//! The outbox: the hub's events on their way to NATS JetStream, in their order, each at least once.
//!
//! The outbox is the table of events itself, and a row that says how far NATS has it. `relay` is the
//! loop's piece of work: it reads what follows, sends it (`send`) as messages (`message`) over
//! the one connection (`connection`), and moves the row on once all of it is acknowledged. `lag` shows
//! how far it is behind, `forget` says which events may go. The hub only sends: it subscribes to no event,
//! neither its own nor others', and so nothing that it does depends on NATS.

mod connection;
mod forget;
mod lag;
mod message;
mod relay;
mod send;
mod settings;
mod trouble;
mod way;

pub(crate) use forget::forget;
pub(crate) use relay::{relay, rest};
pub(crate) use settings::NatsError;
pub use settings::{Begin, NatsSettings};
pub(crate) use way::Outbox;
