//! A soak: a steady mixture of everything, for as long as one likes, with a hub and agents that are restarted now and
//! then, looked at every few seconds; and a verdict in the end.
//!
//! `plan` says what is asked for, `run` does it. The `mixture` is what people and programs do, `hands` are the agents;
//! both write into the `notes`. A `sample` is one look at the hub from outside, `verdict` what all of it comes to, and
//! `show` how it is printed.

mod hands;
mod mixture;
mod notes;
mod plan;
mod run;
mod sample;
mod show;
mod verdict;

pub(crate) use plan::Soak;
pub(crate) use run::run;
