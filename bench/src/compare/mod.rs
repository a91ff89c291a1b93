//! Ours beside others in one run, on one machine, round after round: the noise of the hour meets all
//! of them. The others' scripts are not part of this house; whoever compares says where they are.
//!
//! `plan` says what is compared with what, `run` does it, `table` shows the best of each.

mod plan;
mod run;
mod table;

pub(crate) use run::{Compare, run};
