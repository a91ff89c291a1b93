//! Jobs: one request that becomes a task at each of many nodes.
//!
//! `create` writes down which nodes are meant; `advance` is the loop: it gives nodes their tasks, so many at
//! a time and only while they are there (`release`), takes tasks back (`withdraw`), and ends; `memory` is
//! what it remembers between two rounds. `steer` pauses, resumes and cancels; `read` shows. What is to be
//! done next is decided in `sortie_rules::jobs`.

mod advance;
mod create;
mod memory;
mod read;
mod release;
pub(crate) mod routes;
mod steer;
mod withdraw;

pub(crate) use advance::advance_all;
pub(crate) use create::{select, selector};
pub(crate) use memory::Advance;
pub(crate) use read::{exists, shown_counts};
