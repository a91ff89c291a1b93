//! The outbox: a hub's events on their way to NATS JetStream, over restarts and ends of either side, and
//! those who read them there.

mod help;

mod arriving;
mod away;
mod forgotten;
mod killed;
mod setting_up;
mod signing_in;
mod subscribing;
mod two_hubs;
