//! Org settings: what the administrators of an org choose, kept in the store, read through a cache, changed with
//! an event that says what stood there before. Which keys there are is `rules`' to know.

mod cache;
mod change;
mod evict;
mod list;
pub(crate) mod routes;

pub(crate) use cache::OrgSettings;
