//! The embedded engine: one SQLite file, one thread that writes, a few that read.
//!
//! `connection` speaks to one open connection, `pragmas` says how connections are set up and why,
//! `job` is a verb on its way through a thread, `writer` commits verbs in groups, `flusher` brings the
//! commits to disk and answers, `readers` serves the rest, `whole` opens one to read or fill a whole
//! database, `faults` turns SQLite's errors into the store's, and `engine` holds it together.

mod connection;
mod engine;
mod faults;
mod flusher;
mod job;
mod pragmas;
mod readers;
mod whole;
mod writer;

pub(crate) use connection::Connection;
pub(crate) use engine::Engine;
pub(crate) use whole::{empty, snapshot};
