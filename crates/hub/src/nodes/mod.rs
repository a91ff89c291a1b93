//! Nodes and sites: the hub's record of each enrolled agent. Labels, kind, site and thresholds are
//! intent and set here only; facts come from the agent and are only shown.

mod change;
mod directory;
mod list;
mod revoke;
pub(crate) mod routes;
mod show;
pub(crate) mod sites;

pub(crate) use directory::{Directory, Known};
pub(crate) use show::show;
