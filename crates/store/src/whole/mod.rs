//! A database as a whole: every row of it, read as of one moment or put into an empty one, whichever engine
//! is on either side.
//!
//! `tables` names all tables in an order in which their rows can be put in, `lines` is how a row is written
//! outside a database, `reading` goes through all rows page by page, `source` and `target` are the two ends of
//! backup, restore and copy, and `schema` says what an upgrade would do.

mod lines;
mod reading;
mod schema;
mod source;
mod tables;
mod tally;
mod target;

pub use reading::Part;
pub use schema::{PendingStep, Schema, newest_schema};
pub(crate) use source::settle;
pub use source::{Hold, Source};
pub use tables::{LEFT_BEHIND, TABLES, Table, names};
pub use tally::{Tallies, Tally};
pub use target::Target;
