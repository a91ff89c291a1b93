//! Packs: folders that add task types, resource kinds and alarm rules. The base pack is part of the program; others are
//! read at the start and again when the hub is told to look.
//!
//! `files` reads a pack's files and nothing outside its folder, `reader` walks a `pack.toml` and collects `mistake`s,
//! `manifest` says what may stand in it, `schema`, `secrets`, `post_steps` and `alarms` read its parts; `types` and
//! `kinds` are what comes out, and `misfit` says why a spec does not fit its kind; `load` makes the whole set,
//! `misplaced` finds packs where no hub looks, and `reload` swaps the set.

mod alarms;
mod files;
mod kinds;
mod load;
mod manifest;
mod misfit;
mod misplaced;
mod mistake;
mod post_steps;
mod reader;
mod reload;
mod schema;
mod secrets;
mod types;

pub(crate) use kinds::ResourceKinds;
#[cfg(test)]
pub(crate) use load::base;
pub(crate) use load::load;
pub use load::{Checked, PacksError, check_folder};
pub use mistake::Mistake;
pub(crate) use reload::reload;
pub(crate) use types::TaskTypes;
