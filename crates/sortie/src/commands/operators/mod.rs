//! `sortie operators`: the set of operators whom sites believe, made and changed on operators' own machines.
//!
//! The sets lie in a file, the newest last, each signed by enough members of the one before. `noun` is what can
//! be typed, `chain` reads and writes the file, `member` reads a member as it is typed.

mod chain;
mod member;
mod noun;

pub(crate) use noun::{OperatorsCommand, run};
