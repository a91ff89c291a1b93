//! Looking back: what happened at each node and in each org, hour by hour and day by day.
//!
//! `follow` is the leader's loop: it enters what events tell into stretches. `read` and `routes` show them, `forget`
//! removes those that are old.

mod follow;
mod forget;
mod read;
pub(crate) mod routes;

pub(crate) use follow::{begin, follow};
pub(crate) use forget::forget;
