//! The command `sortie` as a person types it: with the hub's data folder, to its end.

use std::process::{Command, Stdio};

use serde_json::Value;
use stories::{Ended, Program, RunningHub};

pub(crate) fn command(hub: &RunningHub<'_>, words: &[&str]) -> Command {
    let mut command = Program::Sortie.command();
    command.args(words).arg("--data").arg(hub.data()).stdin(Stdio::null());
    command
}

pub(crate) fn sortie(hub: &RunningHub<'_>, words: &[&str]) -> Ended {
    Ended::of(&mut command(hub, words))
}

/// The same with `--json`: what it printed.
pub(crate) fn sortie_json(hub: &RunningHub<'_>, words: &[&str]) -> Value {
    let ended = Ended::of(command(hub, words).arg("--json"));
    serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("no JSON ({error}): {ended:?}"))
}

#[track_caller]
pub(crate) fn ends_with(ended: &Ended, code: i32, words: &[&str]) {
    assert_eq!(ended.code, Some(code), "{ended:?}");
    for word in words {
        assert!(ended.stderr.contains(word), "`{word}` is not said: {ended:?}");
    }
}
