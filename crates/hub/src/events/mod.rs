//! Events: what happened, written in the transaction that made it happen, read in pages.

mod list;
mod record;
pub(crate) mod routes;
mod sequence;

pub(crate) use record::{Record, record};
pub(crate) use sequence::sequence;
