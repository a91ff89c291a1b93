//! The engine for many hubs: a PostgreSQL server behind a pool of connections.
//!
//! `address` reads the URL, `tls` trusts the right certificates, `engine` holds the pool and runs
//! verbs, `transaction` speaks to one connection, `whole` begins those that read or fill a whole database, `bells`
//! reaches the other hubs on it, `faults` turns the server's errors into the store's.

mod address;
mod bells;
mod engine;
mod faults;
mod tls;
mod transaction;
mod whole;

pub(crate) use engine::Engine;
pub(crate) use transaction::{Transaction, cell};
pub(crate) use whole::{empty, snapshot};
