//! What people look at often and may be a moment old: read models, kept in memory for seconds, read again when they are
//! asked for after that, or after an event that changes them. One reads and the others wait for it; one that cannot be
//! read again is served for a while as it was, says so, and is counted.
//!
//! Nothing that decides is kept here: neither who may do what, nor what stands in a ledger, nor secrets. Who may see a
//! model is asked of each request, after it was found.

mod evict;
mod model;

pub(crate) use evict::evict;
pub(crate) use model::{Counted, ReadModel, Reading};
