//! The engine for many hubs: a PostgreSQL server behind a pool of connections.
//!
//! `address` reads the URL, `tls` trusts the right certificates, `limits` says how long anything may
//! take, `connections` is the pool, `opening` waits for the server and migrates, `engine` runs verbs
//! and decides when one runs again, `transaction` speaks to one connection, `many` makes one
//! statement of many rows, `faults` sorts the server's
//! errors and turns them into the store's.

mod address;
mod connections;
mod engine;
mod faults;
mod limits;
mod many;
mod opening;
mod tls;
mod transaction;

pub(crate) use engine::Engine;
pub use limits::ServerLimits;
pub(crate) use transaction::{Transaction, cell};
