//! Held requests and the bells that end them.
//!
//! A bell says "look", never "this changed": whoever wakes reads the store again. `line` is the
//! place of one node, where at most one wait is held and deliveries are numbered; `bells` wake
//! those who wait for something of a task.

mod bells;
mod line;
mod room;

pub(crate) use line::{Line, Reservation, Turn, Wake};
pub(crate) use room::Waiting;
