//! The rows of figures, a file for each.
//!
//! `submit` is P1, `submit_many` P2, `drain` and `life` are the two halves of P3, `latency` is P4,
//! `agent` P9, and `startup` how long a hub takes to come up. `ground` is what most stand on.

mod agent;
mod drain;
mod ground;
mod latency;
mod life;
mod measure;
mod startup;
mod submit;
mod submit_many;

pub(crate) use measure::run;
