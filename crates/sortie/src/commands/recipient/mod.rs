//! `sortie recipient`: who may be told of alarms.
//!
//! `noun` says what it takes, `show` lists and shows recipients, `change` makes, removes and tests them.

mod change;
mod noun;
mod show;

pub(crate) use noun::{ChannelWord, RecipientCommand, run};
