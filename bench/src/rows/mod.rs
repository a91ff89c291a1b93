//! The rows of figures, a file for each.
//!
//! `submit` is P1, `submit_many` P2, `drain` and `life` are the two halves of P3, `latency` is P4,
//! `agent` P9, `jobs` the first stage of P5 and a job over many nodes, `command` what a command handler
//! costs, `deliveries` what signing and verifying one costs, `sign_in` what it takes to check a token of an
//! identity provider, and `startup` how long a hub
//! takes to come up. `ground` is what most stand on.

mod agent;
mod command;
mod deliveries;
mod drain;
mod ground;
mod jobs;
mod latency;
mod life;
mod measure;
mod sign_in;
mod startup;
mod submit;
mod submit_many;

pub(crate) use measure::run;
