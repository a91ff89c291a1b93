//! Real counterparts for tests: servers that the hub talks to, started by the test and gone with it.
//!
//! `postgres` is a private PostgreSQL server.

mod postgres;

pub use postgres::Postgres;
