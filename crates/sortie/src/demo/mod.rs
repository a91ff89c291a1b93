//! `sortie demo`: a whole fleet on this machine, at work, shot at, and counted afterwards.
//!
//! A hub and three agents run as real processes of this same program, enrolled over real TLS
//! (`fleet`, `child`), at places as the worlds have them (`places`). `story` is the script: real
//! tasks (`work`), an agent killed in mid-task, the hub killed while tasks are open. `tally` counts
//! what became of every task and of every line that was to be written once, and is pure. `narrator`
//! tells it in plain sentences; `farewell` says how to go on.

mod child;
mod command;
mod farewell;
mod fleet;
mod narrator;
mod places;
mod story;
mod tally;
mod until;
mod work;

pub(crate) use command::{Demo, run};
