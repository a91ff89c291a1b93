//! What is done to a hub's store as a whole, on the hub's own machine and without asking the hub: `sortie backup`,
//! `sortie restore`, `sortie store copy` and `sortie migrate`. `options` names the hub by its data folder and
//! settings, `failure` says how errors end, `bar` shows how far it is.

mod backup;
mod bar;
mod copy;
mod failure;
mod migrate;
mod options;
mod restore;

pub(crate) use backup::{BackupCommand, run as backup};
pub(crate) use copy::{StoreCommand, run as store};
pub(crate) use failure::failed;
pub(crate) use migrate::{MigrateCommand, run as migrate};
pub(crate) use restore::{RestoreCommand, run as restore};
