//! `sortie alarm`: what is wrong, and the rules by which that is judged.
//!
//! `noun` says what it takes, `list` and `show` read alarms, `rules` reads and writes the rules.

mod list;
mod noun;
mod rules;
mod show;

pub(crate) use noun::{AlarmCommand, run};
