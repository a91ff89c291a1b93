//! `sortie events`: what others need to read a hub's events from NATS JetStream. It talks to NATS itself
//! and asks no hub: `nats` says where NATS is, `wish` what was asked for, `stream` and `consumers` what
//! shall be and what differs from it, `setup` makes it so.

mod change;
mod consumers;
mod nats;
mod noun;
mod setup;
mod stream;
mod wish;

pub(crate) use noun::{EventsCommand, run};
