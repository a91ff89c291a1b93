//! What an agent says to its hub: `/agent/v1/…`.
//!
//! No call here repeats itself: the agent's loops decide when to try again, each with its own patience.
//!
//! `hub_line` has a method for each address, `proving` chooses the proof with which it is asked and checks
//! what an answer to an assertion is signed with.

mod hub_line;
mod proving;

pub use hub_line::HubLine;
pub use proving::{Choice, HubKeys, NodeProof};
