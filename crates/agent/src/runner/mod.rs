//! Runs what was accepted, as many at once as the settings say, in the order in which it came.
//!
//! `board` is what the agent holds at this moment, in memory: waiting, running, ended. `run` carries
//! one run from its beginning to the ledger; `judge` says whether it may begin at all,
//! `privileged` whether operators have signed it where they must; `reboot` those that end
//! in another boot of the machine; `outcome` turns
//! what a handler gave into the result that is reported.

mod board;
mod judge;
mod outcome;
mod privileged;
mod reboot;
mod run;

pub(crate) use board::{Board, Cancel, Waiting};
pub(crate) use outcome::{cancelled, interrupted, too_large};
pub(crate) use run::{HandlerSet, Me, Runner};
