//! Notifications: who is told of alarms, when, by which way, and what was held back (decision 0033).
//!
//! `follow` is the leader's loop: it reads the events of alarms page by page (`page`) with the `audience` of each org,
//! `judge` decides what is told and what is held back, `let_go` ends that, `gather` makes dispatches of what waits, and
//! `send` tries those that are due, in the `words` that `matter` and `zone` give. `change`, `list`, `secret` and `test`
//! are about recipients, `rules` about rules, `log` shows what became of it all; `console` and `socket` are for the
//! person who is told there. `memory` holds what is in memory, `forget` removes what was told long ago.

mod audience;
mod change;
mod console;
mod follow;
mod forget;
mod gather;
mod judge;
mod let_go;
mod list;
mod log;
mod matter;
mod memory;
mod page;
pub(crate) mod routes;
mod rules;
mod secret;
mod send;
mod socket;
mod test;
mod words;
mod zone;

pub(crate) use follow::{begin, follow};
pub(crate) use forget::forget;
pub(crate) use memory::Notifications;
