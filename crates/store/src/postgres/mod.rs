//! The engine for many hubs: a PostgreSQL server behind a pool of connections.
//!
//! `address` reads the URL, `tls` trusts the right certificates, `limits` says how long anything may
//! take, `connections` is the pool, `opening` waits for the server and migrates, `engine` runs verbs
//! and decides when one runs again, `transaction` speaks to one connection, `many` makes one
//! statement of many rows, `whole` begins those that read or fill a whole database, `bells` reaches the
//! other hubs on it, `faults` sorts the server's errors and turns them into the store's.

mod address;
mod bells;
mod connections;
mod engine;
mod faults;
mod limits;
mod many;
mod opening;
mod tls;
mod transaction;
mod whole;

pub(crate) use engine::Engine;
pub use limits::ServerLimits;
pub(crate) use transaction::{Transaction, cell};
pub(crate) use whole::{empty, snapshot};
