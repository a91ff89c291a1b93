//! Maintenance: times in which nobody is told what begins at some nodes. What is wrong is found and written down then
//! as ever; only the telling waits.
//!
//! `start` announces one, `end` ends it before its time, `list` and `routes` are for people. `cover` says of nodes
//! until when they are in one, by what `memory` holds of the org's; `forget` removes what was over long ago.

mod cover;
mod end;
mod forget;
mod list;
mod memory;
pub(crate) mod routes;
mod start;

pub(crate) use cover::{cover, under_way};
pub(crate) use forget::forget;
pub(crate) use memory::Maintenances;
