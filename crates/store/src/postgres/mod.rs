//! The engine for many hubs: a PostgreSQL server behind a pool of connections.
//!
//! `address` reads the URL, `tls` trusts the right certificates, `engine` holds the pool and runs
//! verbs, `bells` reaches the other hubs on it, `transaction` speaks to one connection, `faults` turns the server's errors into the
//! store's.

mod address;
mod bells;
mod engine;
mod faults;
mod tls;
mod transaction;

pub(crate) use engine::Engine;
pub(crate) use transaction::{Transaction, cell};
