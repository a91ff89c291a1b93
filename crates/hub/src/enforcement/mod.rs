//! What the hub itself enforces: resources whose kind names an enforcer go to no node, and the leader brings them in
//! order at the edge.
//!
//! `wanted` reads what is meant for a node, as far as it is published and pinned; `note` keeps the table of
//! enforcements in step with that, before anything is done; `perform` is the loop that does what is due, and `carry`
//! one try of it. `show` is what people see, `memory` what rings and what was seen.

mod carry;
mod memory;
mod note;
mod perform;
mod show;
mod wanted;

pub(crate) use memory::Enforcements;
pub(crate) use perform::enforce;
pub(crate) use show::shown;
