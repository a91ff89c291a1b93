//! What the agent accepted, began, finished and reported: a SQLite file of its own that every crash
//! leaves whole.
//!
//! `ledger` is the handle that the rest of the agent holds. Everything goes through one thread
//! (`writer`), which takes whatever is asked for at the moment, does it in one transaction with one
//! flush to disk (`group`), and then answers all of it. What each request does to the tables stands in a file
//! of its own: `accept`, `refuse`, `begin`, `finish`, `withdraw`, `report`, `unreported`, `recover`, `prune`, `nonce`,
//! `reboot`, `keep_time`, `tell`.
//! What a stage means is decided in `rules::ledger`. `counts` looks at it from outside. `file` opens
//! the file, `schema.sql` says what is in it.

mod accept;
mod begin;
mod counts;
mod error;
mod file;
mod finish;
mod group;
mod handle;
mod keep_time;
mod nonce;
mod prune;
mod reboot;
mod recover;
mod refuse;
mod report;
mod row;
mod tell;
#[cfg(test)]
mod tests;
mod unreported;
mod withdraw;
mod writer;

pub(crate) use accept::{Incoming, Offered, Taken, Verdict};
pub use counts::{CountError, LedgerCounts, count_ledger};
pub use error::LedgerError;
pub(crate) use finish::Ended;
pub(crate) use handle::Ledger;
pub(crate) use reboot::{BeginReboot, Rebooting};
pub(crate) use recover::{Interrupted, Recovered};
pub(crate) use refuse::Refused;
pub(crate) use row::RunKey;
pub(crate) use tell::BackupReport;
pub(crate) use writer::WriterThread;
