//! `sortie notification`: what was told to whom, what was held back and why, and the rules by which that is chosen.
//!
//! `noun` says what it takes, `list` reads notifications, `rules` reads and writes the rules.

mod list;
mod noun;
mod rules;

pub(crate) use noun::{NotificationCommand, run};
