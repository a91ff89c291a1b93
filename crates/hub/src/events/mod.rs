//! Events: what happened, written in the transaction that made it happen, read in pages
//! or as a stream. `take` takes those that nodes tell by themselves.

mod announce;
mod follow;
mod list;
mod record;
pub(crate) mod routes;
mod sequence;
mod stream;
mod take;

pub(crate) use announce::announce;
pub(crate) use follow::Followed;
pub(crate) use list::show;
pub(crate) use record::{Record, record, record_all};
pub(crate) use sequence::sequence;
