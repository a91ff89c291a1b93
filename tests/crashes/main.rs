//! Hub and agent are killed at each step of a task's life, and every task still comes to one end.
//!
//! A `cut` says at which system call a program is killed: `strace` injects SIGKILL there, so that
//! the product needs no hooks. A `life` is what goes on meanwhile, and what must hold afterwards.

mod agent_is_killed;
mod audit_is_whole;
mod both_are_killed;
mod cut;
mod hub_is_killed;
mod life;
