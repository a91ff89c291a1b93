//! The agent's commands, for the slim program `sortie-agent` and for `sortie agent`, which are the
//! same: `commands` says what can be typed, `perform` does it (`operators` what is about those),
//! `complaint` tells what went wrong, `log` sets up the log, `exit` says which exit code means what.

mod commands;
mod complaint;
mod exit;
mod log;
mod operators;
mod perform;

pub use commands::{AgentCommand, EnrollCommand, RunCommand};
pub use exit::AgentExit;
pub use perform::{perform, run};
