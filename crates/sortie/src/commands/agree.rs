//! Asking before something is done that cannot be undone.

use std::io::{self, BufRead as _, IsTerminal as _};

use crate::exit::Failure;
use crate::output::Output;

/// Says what will be done and asks whether it shall be.
pub(crate) fn agree(output: Output, yes: bool, plan: &str) -> Result<(), Failure> {
    output.say(plan);
    if yes {
        return Ok(());
    }
    if !io::stdin().is_terminal() {
        return Err(Failure::usage("nobody is there to be asked").remedy("say --yes to do it without being asked"));
    }
    output.say("Shall it be done? Type yes:");
    let mut answer = String::new();
    let read = io::stdin().lock().read_line(&mut answer);
    read.map_err(|error| Failure::other(format!("the answer cannot be read: {error}")))?;
    if answer.trim().eq_ignore_ascii_case("yes") { Ok(()) } else { Err(Failure::other("nothing was done")) }
}
