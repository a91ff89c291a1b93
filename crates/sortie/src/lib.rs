//! The program `sortie`: one command with the roles hub, agent and demo, and a noun for everything
//! that people do with a hub.
//!
//! Start reading at `cli`, the table of contents of the command line. Each noun has one file in
//! `commands`, with what it takes and what it does together. A command finds its hub through
//! `find_hub`, calls it through `sortie-client`, and prints through `output`, never by itself. How
//! commands end is in `exit`.

mod cli;
mod clock;
mod commands;
mod context;
mod demo;
mod doctor;
#[doc(hidden)]
pub mod doors;
mod exit;
mod find_hub;
mod operator_keys;
mod output;
mod supervised;
mod telemetry;
mod values;

pub use cli::{command, run};
