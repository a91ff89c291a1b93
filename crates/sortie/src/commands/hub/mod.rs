//! `sortie hub`: `run` runs one until it is asked to stop; `keys` shows, rotates and finishes the keys of one
//! that runs, here or elsewhere; `master_key` makes the key that seals them in a database, and seals them with another.

mod keys;
mod master_key;
mod run;
mod settings;

pub(crate) use run::{HubCommand, run};
pub(crate) use settings::settings_of;
