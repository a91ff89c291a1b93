//! `audit`: who did what, in a chain for each org that nobody changes unnoticed.
//!
//! An entry is handed in with [`insert`], in the transaction of what it tells, and gets its link when its place
//! among the others is certain: on SQLite from the writer, just before the commit of its group; on PostgreSQL,
//! where transactions commit in any order, afterwards by [`seal_waiting`], one hub at a time. The links that
//! are made together are kept as one row, in the very lines in which they are exported.

mod entry;
mod read;
mod seal;
mod wait;

pub use entry::{NewEntry, insert};
pub use read::{Block, head, list, list_newest};
pub(crate) use seal::seal;
pub use seal::seal_waiting;
pub(crate) use wait::WAIT;
