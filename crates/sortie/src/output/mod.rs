//! What people and programs see: data to stdout, talk to stderr.
//!
//! `print` is the only file of the program that prints. With `--json` the data is the wire's shape,
//! else a table (`table`) with times as people say them (`times`). Colour (`colours`) only on a
//! terminal and never against NO_COLOR; a spinner (`waiting`) only where someone is looking.

mod colours;
mod print;
mod table;
mod times;
mod waiting;

pub(crate) use colours::Colours;
pub(crate) use print::Output;
pub(crate) use table::{Table, details};
pub(crate) use times::{ago, clock_time, moment, seconds, utc};
pub(crate) use waiting::ProgressBar;
