//! Held requests and the bells that end them.
//!
//! A bell says "look", never "this changed": whoever wakes reads the store again. `line` is the
//! place of one node, where at most one wait is held and deliveries are numbered; `ended` wakes
//! those who wait for a task to end.

mod ended;
mod line;
mod room;

pub(crate) use line::{Line, Reservation, Turn, Wake};
pub(crate) use room::Waiting;
