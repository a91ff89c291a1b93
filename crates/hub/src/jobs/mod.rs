//! Jobs: one request that becomes a task at each of many nodes.
//!
//! `create` writes down which nodes are meant; `advance` is the loop that gives them their tasks, so many
//! at a time and only while they are there, and that stops, withdraws and ends; `steer` pauses, resumes
//! and cancels; `read` shows. What is to be done next is decided in `sortie_rules::jobs`.

mod advance;
mod create;
mod read;
pub(crate) mod routes;
mod steer;

pub(crate) use advance::{Advance, advance_all};
