//! Blobs: bytes that the hub keeps beside its database, in a folder or an S3 store. The rows are in the database
//! (`sortie_store::blobs`), this room holds the bytes.
//!
//! `settings` says where; `place` is a folder or a bucket, with `credentials` for the latter, and `calls` is what is
//! asked of it, each within a time and counted. `belonging` sees to it that the place is this database's, `alone` that
//! a folder is no other hub's. `keep`, `fetch` and `forget` are a blob's life; `standing` is what is known of the
//! place. What blobs are used for is elsewhere: the logs of ended tasks (`logs`).

mod alone;
mod belonging;
mod calls;
mod credentials;
mod fetch;
mod forget;
mod keep;
mod place;
mod settings;
mod standing;
mod trouble;

pub(crate) use belonging::{MARKED, PLACE, check, own_mark};
pub(crate) use fetch::{fetch, read};
pub(crate) use forget::{Walk, forget};
pub(crate) use keep::{keep, take_back};
pub(crate) use place::Place;
pub use settings::BlobSettings;
pub(crate) use standing::Blobs;
pub(crate) use trouble::{BlobsError, Trouble};
