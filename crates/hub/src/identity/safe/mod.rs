//! Where the hub's own keys are kept. A hub on SQLite keeps them in its data folder; hubs that share a PostgreSQL
//! database share them there, each sealed with the master key, a file that is never in the database.
//!
//! `contents` is what lies in the safe, `keep` opens it and changes what is in it, `master_key` seals, and
//! `reseal` does so with another one.

mod contents;
mod keep;
mod master_key;
mod reseal;

pub(crate) use contents::Contents;
pub(crate) use keep::Safe;
pub(crate) use master_key::{MasterKey, is_there};
pub use master_key::{MasterKeyError, make_master_key};
pub(crate) use reseal::{Resealed, reseal};
