//! `sortie sign`: an operator reads what was proposed, and signs it on a machine that no hub has a hand in.
//!
//! `command` goes through the operations, `statement` makes or checks the text that is signed, `words` says
//! what it means.

mod command;
mod statement;
mod words;

pub(crate) use command::{SignCommand, run};
