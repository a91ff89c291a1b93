//! The rows of figures, a file for each.
//!
//! `submit` is P1, `submit_many` P2, `drain` and `life` are the two halves of P3, `latency` is P4, `handshake` and
//! `storm` the halves of P6, `agent` is P9, `growth` and `several` the halves of P10. `jobs` is the first stage of P5
//! and a job over many nodes, `desired` a publication to many nodes, `drift` what looking for drift costs an agent,
//! `command` what a command handler costs, `deliveries` what signing and verifying one costs, `sign_in` what it takes
//! to check a token of an identity provider, `silence` a fleet that falls silent at once, `mails` what it takes
//! from an event to a mail, `startup` how long a hub
//! takes to come up, and `replicas` what two hubs on one database do, and what becomes of their callers when one is
//! killed. `ground` is what most stand on.

mod agent;
mod command;
mod deliveries;
mod desired;
mod drain;
mod drift;
pub(crate) mod ground;
mod growth;
mod handshake;
mod jobs;
mod latency;
mod life;
mod mails;
mod measure;
mod replicas;
mod several;
mod sign_in;
mod silence;
mod startup;
mod storm;
mod submit;
mod submit_many;

pub(crate) use measure::run;
