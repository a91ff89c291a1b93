//! Backups at sites, judged by what reports say of them (decision 0034).
//!
//! `note` takes what a report says of a target, in the transaction that keeps the report. `judge` is the leader's loop:
//! it judges each deadline's newest day, page by page, and writes an event for each node that missed it. `zone` finds
//! time zones; `change`, `list` and `routes` are for people.

mod change;
mod judge;
mod list;
mod note;
pub(crate) mod routes;
mod zone;

pub(crate) use judge::judge;
pub(crate) use note::{Noted, note};
