//! What an agent says to its hub: `/agent/v1/…`.
//!
//! No call here repeats itself: the agent's loops decide when to try again, each with its own patience.

mod hub_line;

pub use hub_line::HubLine;
