//! Nodes and sites: the hub's record of each enrolled agent. Labels, kind, site and thresholds are
//! intent and set here only; facts come from the agent and are only shown.

mod change;
mod directory;
pub(crate) mod hosts;
mod list;
mod note_clock;
mod note_proof;
mod quarantine;
mod remove_site;
mod revoke;
pub(crate) mod routes;
mod show;
pub(crate) mod sites;
mod tell_ending;

pub(crate) use directory::{Directory, Known};
pub(crate) use list::labels;
pub(crate) use note_clock::note_clock;
pub(crate) use note_proof::note_proof;
pub(crate) use quarantine::{quarantine, quarantined};
pub(crate) use show::show;
pub(crate) use tell_ending::tell_ending;
